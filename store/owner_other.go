//go:build !unix

package store

// alive cannot be known cheaply here, and the note is then believed.
func alive(int) bool { return true }
