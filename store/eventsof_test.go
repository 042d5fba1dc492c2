package store

import (
	"slices"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func TestEventsOf(t *testing.T) {
	s := testStore(t)
	sm := newSim("mixed-1", 3)
	h, err := s.Create(t.Context(), sm.spec)
	if err != nil {
		t.Fatal(err)
	}
	batch := sm.history(60)
	if err := h.Append(t.Context(), sm.t, batch, nil); err != nil {
		t.Fatal(err)
	}
	all, err := h.EventsOf(t.Context(), -1)
	if err != nil {
		t.Fatal(err)
	}
	of, err := h.EventsOf(t.Context(), 1)
	if err != nil || len(of) == 0 || len(of) >= len(all) {
		t.Fatalf("%d of %d entries touch node 1: %v", len(of), len(all), err)
	}
	touches := func(e event.Event) bool { return slices.Contains(e.Touched(), tree.NodeID(1)) }
	for _, e := range all {
		if touches(e) != slices.ContainsFunc(of, func(x event.Event) bool { return x.Seq == e.Seq }) {
			t.Errorf("entry %d (%s) is on the wrong side", e.Seq, e.Body.Kind())
		}
	}
}
