package trainer

import (
	"errors"
	"testing"
)

func TestOpen(t *testing.T) {
	var got string
	r := Registry{
		"worker": func(arg string) (Trainer, error) { got = arg; return nil, nil },
		"broken": func(string) (Trainer, error) { return nil, errors.New("no python") },
	}
	if _, err := r.Open("worker:python a.py --x:y"); err != nil || got != "python a.py --x:y" {
		t.Errorf("argument %q, error %v", got, err)
	}
	if _, err := r.Open("trl"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown trainer: %v", err)
	}
	if _, err := r.Open("broken"); err == nil {
		t.Error("a factory's error was dropped")
	}
}
