package task

import "sync"

// all makes the tasks once, in the order in which they are shown.
var all = sync.OnceValue(func() []*Task {
	return []*Task{sortTask(), addTask(), chainTask(), mixedTask(), countdownTask(), bracketsTask(), mazeTask(), prefixTask(), recurTask(), automatonTask()}
})
