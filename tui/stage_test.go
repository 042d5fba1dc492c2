package tui

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/themes"
)

// TestMain runs the tests, or with LLMZERO_STAGE the screen on made-up searches, so that a person can look at it:
//
//	go test -c -o /tmp/stage ./tui && LLMZERO_STAGE=full /tmp/stage
func TestMain(m *testing.M) {
	if stage := os.Getenv("LLMZERO_STAGE"); stage != "" {
		if err := runStage(stage); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runStage(stage string) error {
	o := Options{
		Catalog: fakeCatalog{}, Doctor: fakeDoctor{}, Devices: fakeDevices{}, Memory: &fakeMemory{}, Version: "v0.1.0",
		Theme: os.Getenv("LLMZERO_THEME"), Glyphs: themes.GlyphsFor(os.Getenv),
	}
	lib := newFakeLibrary()
	switch stage {
	case "empty":
	case "gpu":
		o.Devices = fakeDevices{n: 2}
		fallthrough
	default:
		lib = newFakeLibrary(storybook(), library("s-1c22", "sort", 0.83), library("s-9d10", "add", 0.51))
		o.Open = os.Getenv("LLMZERO_OPEN")
		switch stage {
		case "growing":
			go goOn(lib.sessions["s-7f3a"], 9)
		case "large":
			big := forest(100_000)
			lib = newFakeLibrary(big)
			o.Open = big.t.Spec.ID
			go goOn(lib.sessions[o.Open], tree.NodeID(len(big.t.Nodes)-1))
		}
	}
	o.Library = lib
	_, err := Run(context.Background(), o)
	return err
}

func library(id, task string, best float64) *script {
	s := newScript(id)
	s.t.Spec.Task = task
	a := s.run(0, 0.5, tree.Transition{})
	s.run(a, best, tree.Transition{Changes: []tree.Change{ch("learning_rate", 3e-4, 6e-4, "")}})
	s.say("engine", &event.StatusSet{Status: tree.SearchDone, Reason: "its budget is spent"})
	return s
}

// goOn goes on with a running segment, a point every 100 ms.
func goOn(f *fakeSession, node tree.NodeID) {
	for i := 26; ; i++ {
		time.Sleep(100 * time.Millisecond)
		p := tree.Point{Step: 120 + i, Tokens: int64(i) * 1024, Values: map[string]float64{tree.MetricReward: 0.7 + 0.1*math.Sin(float64(i)/9), tree.MetricEntropy: 0.6, tree.MetricKL: 0.02}}
		f.bus.Points(node, p)
	}
}
