package rules

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// drawTurn makes any turn: any curves, also broken ones, any tried children, vetoes, bans and failures.
func drawTurn(t *rapid.T) agent.Turn {
	shapes := healthyShapes()
	for _, p := range tree.Pathologies {
		if c, ok := cases[p]; ok && rapid.IntRange(0, 5).Draw(t, string(p)) == 0 {
			for m, s := range c.shapes {
				shapes[m] = s
			}
		}
	}
	n := rapid.IntRange(0, 50).Draw(t, "points")
	pts := points(shapes, n, rapid.IntRange(1, 200).Draw(t, "first"), rapid.Float64Range(0, 0.5).Draw(t, "noise"), rapid.Uint64().Draw(t, "curve"))
	if n > 0 && rapid.IntRange(0, 9).Draw(t, "nan") == 0 {
		pts[n/2].Values[tree.MetricLoss] = math.NaN()
	}
	vals := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 4).Draw(t, "vals")
	turn := turnAt(pts, vals...)
	turn.Count = rapid.IntRange(0, 8).Draw(t, "count")
	turn.Seed = rapid.Uint64().Draw(t, "seed")
	space := turn.Spec.Space
	config := turn.Node.Config.Clone()
	for _, p := range space.Params {
		if rapid.Bool().Draw(t, p.Name) {
			config[p.Name] = p.At(rapid.Float64Range(0, 1).Draw(t, "at"))
		}
	}
	turn.Node.Config = config
	if len(vals) == 0 && rapid.Bool().Draw(t, "failed") {
		turn.Failure = &tree.Failure{
			Class:   rapid.SampledFrom([]tree.FailureClass{tree.FailOOM, tree.FailNaN, tree.FailCrash, tree.FailConfig, "?"}).Draw(t, "class"),
			Message: "boom",
		}
		turn.Node.State = tree.StateFailed
		turn.Node.Transition.Changes = space.Diff(turn.Path[0].Node.Config, config)
	}
	turn.Path[1].Node = turn.Node
	if rapid.IntRange(0, 4).Draw(t, "fresh") == 0 {
		turn.Node, turn.Path, turn.Fresh, turn.Points, turn.Failure = turn.Path[0].Node, turn.Path[:1], true, nil, nil
	}
	for range rapid.IntRange(0, 3).Draw(t, "bans") {
		p := rapid.SampledFrom(space.Params).Draw(t, "ban")
		b := tree.Ban{Param: p.Name}
		if p.Kind == tree.KindChoice {
			b.Choice = rapid.SampledFrom(p.Choices).Draw(t, "choice")
		} else {
			lo, hi := rapid.Float64Range(0, 1).Draw(t, "lo"), rapid.Float64Range(0, 1).Draw(t, "hi")
			b.Min, b.Max = p.At(min(lo, hi)).Num, p.At(max(lo, hi)).Num
		}
		turn.Bans = append(turn.Bans, b)
	}
	return turn
}

// grow adds an answer's proposals to what was tried.
func grow(t *rapid.T, turn *agent.Turn, a agent.Answer) {
	for i, p := range a.Proposals {
		config, err := turn.Result(p)
		if err != nil {
			t.Fatal(err)
		}
		n := tree.Node{ID: tree.NodeID(100 + i + len(turn.Children)), State: tree.StateEvaluated, Transition: p, Config: config}
		n.Outcome = &tree.Outcome{Val: score(rapid.Float64Range(0, 1).Draw(t, "val"))}
		if rapid.Bool().Draw(t, "veto") {
			n.State = tree.StateVetoed
			turn.Vetoes = append(turn.Vetoes, n)
		} else {
			turn.Children = append(turn.Children, n)
		}
	}
}

func TestProposalsAreAlwaysLegal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turn := drawTurn(t)
		for range 3 {
			a, err := New().Propose(context.Background(), turn)
			if err != nil {
				t.Fatal(err)
			}
			again, err := New().Propose(context.Background(), turn)
			if err != nil {
				t.Fatal(err)
			}
			one, err1 := json.Marshal(a)
			two, err2 := json.Marshal(again)
			if err1 != nil || err2 != nil || string(one) != string(two) {
				t.Fatalf("not the same answer twice, or not JSON: %v %v\n%s\n%s", err1, err2, one, two)
			}
			if len(a.Proposals) > max(1, turn.Count) {
				t.Fatalf("%d proposals, wanted %d", len(a.Proposals), turn.Count)
			}
			seen := map[string]bool{}
			for i, p := range a.Proposals {
				if err := turn.Check(p); err != nil {
					t.Fatalf("proposal %d: %v", i, err)
				}
				config, err := turn.Result(p)
				if err != nil {
					t.Fatal(err)
				}
				if err := turn.Spec.Space.Check(config); err != nil {
					t.Fatal(err)
				}
				from, err := json.Marshal(p.From)
				if err != nil {
					t.Fatal(err)
				}
				if key := config.Key() + string(from); seen[key] {
					t.Fatalf("twice in one answer: %+v", p)
				} else {
					seen[key] = true
				}
				if p.Confidence < 0 || p.Confidence > 1 || p.By != Name || p.Rationale == "" || p.FromWhy == "" || p.Steps < 1 {
					t.Fatalf("half a proposal: %+v", p)
				}
				if i > 0 && p.Confidence > a.Proposals[i-1].Confidence {
					t.Fatalf("not ranked: %g after %g", p.Confidence, a.Proposals[i-1].Confidence)
				}
			}
			grow(t, &turn, a)
		}
	})
}
