package store

import (
	"errors"
	"fmt"
	"runtime/debug"

	berrors "go.etcd.io/bbolt/errors"
)

// Errors of opening a store.
var (
	// ErrLocked is returned when another process holds the file and did not let go of it in time.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrNotStore is returned when a file is there that was not written by this package.
	ErrNotStore = errors.New("not an llmzero store")
	// ErrNewerSchema is returned when a newer llmzero wrote the file in a layout that this one does not know.
	ErrNewerSchema = errors.New("the store has a newer schema")
	// ErrOlderSchema is returned when a file needs a migration and is opened read-only.
	ErrOlderSchema = errors.New("the store has an older schema")
	// ErrNoStore is returned when a store that does not exist is opened read-only.
	ErrNoStore = errors.New("there is no store")
	// ErrBusy is returned when no consistent copy could be taken because the holder commits too often.
	ErrBusy = errors.New("the store changes too fast to be copied")
)

// Errors of reading and writing.
var (
	// ErrCorrupt is returned when the file's content contradicts itself: a damaged page, a value that does not decode, a blob
	// whose digest is wrong.
	ErrCorrupt = errors.New("the store is damaged")
	// ErrReadOnly is returned when something is written to a store that was opened read-only.
	ErrReadOnly = errors.New("the store is open read-only")
	// ErrClosed is returned when a store is used after Close.
	ErrClosed = errors.New("the store is closed")
	// ErrNotFound is returned when there is no search, exchange or blob of that name.
	ErrNotFound = errors.New("not found")
	// ErrExists is returned when a search is created or imported under a name that is taken.
	ErrExists = errors.New("the search exists already")
	// ErrSequence is returned when journal entries do not follow those that are there: two writers on one search, or an
	// entry that was appended twice.
	ErrSequence = errors.New("journal entries out of sequence")
	// ErrFormat is returned when an import is not in the format of Export.
	ErrFormat = errors.New("not an llmzero search export")
)

// guard turns a panic into ErrCorrupt: bbolt asserts its invariants by panicking, and reading a truncated file through the
// memory map faults. Use: defer guard(&err)().
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			*err = fmt.Errorf("%w: %v; run `llmzero check`, and restore a copy or export what still reads", ErrCorrupt, r)
		}
	}
}

// known gives bbolt's errors our names.
func known(err error) error {
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen), errors.Is(err, berrors.ErrTxClosed):
		return ErrClosed
	case errors.Is(err, berrors.ErrDatabaseReadOnly), errors.Is(err, berrors.ErrTxNotWritable):
		return ErrReadOnly
	}
	return err
}
