package task

import "math/rand/v2"

const mazeSide = 5

func mazeTask() *Task {
	return define(Task{
		Name: "maze", Help: "walk from S to G through a 5x5 maze, any way that works", Vocab: newVocab(".#SGUDLR>"),
		Difficulty: Range{1, 8}, DifficultyHelp: "moves of the shortest way",
		Validation: Range{2, 8}, Test: Range{2, 8},
		Width: mazeSide * mazeSide, Sign: '>', MaxAnswer: 14, MaxCompletion: 12,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   maze{},
		corpus:  []float64{2, 2, 2, 2, 2, 1.5, 1, 1},
	})
}

// maze gives the cells of a square maze row by row, "." free, "#" wall, "S" start and "G" goal, and asks for moves U D L R
// that lead from S to G. Detours are right too; walking into a wall or out of the maze, or past the goal, is not.
type maze struct{}

// moves are the letters of the directions with their steps in rows and columns.
var moves = [4]struct {
	letter   byte
	row, col int
}{{'U', -1, 0}, {'D', 1, 0}, {'L', 0, -1}, {'R', 0, 1}}

func (maze) draw(rng *rand.Rand, difficulty int) (body, answer, key string) {
	for {
		cells := make([]byte, mazeSide*mazeSide)
		for i := range cells {
			cells[i] = '.'
			if rng.Float64() < 0.35 {
				cells[i] = '#'
			}
		}
		goal := rng.IntN(len(cells))
		cells[goal] = 'G'
		dist := distances(cells, goal)
		var starts []int
		for i, d := range dist {
			if d == difficulty {
				starts = append(starts, i)
			}
		}
		if len(starts) == 0 {
			continue
		}
		start := starts[rng.IntN(len(starts))]
		cells[start] = 'S'
		return string(cells), shortest(rng, dist, start), string(cells)
	}
}

func (maze) right(body, completion string) bool {
	if len(body) != mazeSide*mazeSide {
		return false
	}
	at := -1
	for i := range len(body) {
		if body[i] == 'S' {
			at = i
		}
	}
	if at < 0 || completion == "" {
		return false
	}
	for i := range len(completion) {
		if body[at] == 'G' {
			return false
		}
		next := step(at, completion[i])
		if next < 0 || body[next] == '#' {
			return false
		}
		at = next
	}
	return body[at] == 'G'
}

// teach shows one of the shortest ways, chosen at random.
func (maze) teach(rng *rand.Rand, _ Lesson, body, _ string) string {
	cells := []byte(body)
	goal, start := 0, 0
	for i, c := range cells {
		switch c {
		case 'G':
			goal = i
		case 'S':
			start = i
		}
	}
	return shortest(rng, distances(cells, goal), start)
}

// step returns the cell after a move, or -1 for a move out of the maze or none at all.
func step(at int, letter byte) int {
	for _, m := range moves {
		if m.letter == letter {
			row, col := at/mazeSide+m.row, at%mazeSide+m.col
			if row < 0 || row >= mazeSide || col < 0 || col >= mazeSide {
				return -1
			}
			return row*mazeSide + col
		}
	}
	return -1
}

// distances returns the number of moves from every cell to goal, -1 where there is no way.
func distances(cells []byte, goal int) []int {
	dist := make([]int, len(cells))
	for i := range dist {
		dist[i] = -1
	}
	dist[goal] = 0
	queue := append(make([]int, 0, len(cells)), goal)
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, m := range moves {
			if next := step(at, m.letter); next >= 0 && cells[next] != '#' && dist[next] < 0 {
				dist[next] = dist[at] + 1
				queue = append(queue, next)
			}
		}
	}
	return dist
}

// shortest walks down the distances from start, taking any best move.
func shortest(rng *rand.Rand, dist []int, start int) string {
	var way []byte
	for at := start; dist[at] > 0; {
		var best []byte
		for _, m := range moves {
			if next := step(at, m.letter); next >= 0 && dist[next] == dist[at]-1 {
				best = append(best, m.letter)
			}
		}
		letter := best[rng.IntN(len(best))]
		way = append(way, letter)
		at = step(at, letter)
	}
	return string(way)
}
