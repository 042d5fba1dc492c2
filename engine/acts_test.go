package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// hold is a gate for a trainer that blocks one node's segment at a step until it is let go.
type hold struct {
	node    tree.NodeID
	step    int
	reached chan struct{}
	release chan struct{}
}

func newHold(node tree.NodeID, step int) *hold {
	return &hold{node, step, make(chan struct{}, 8), make(chan struct{})}
}

func (h *hold) gate(ctx context.Context, job tree.Job, step int) error {
	if job.Node != h.node || step != h.step {
		return nil
	}
	h.reached <- struct{}{}
	select {
	case <-h.release:
	case <-ctx.Done():
	}
	return nil
}

// finished is an engine whose search is done, with n segments.
func finished(t *testing.T, n int) *rig {
	t.Helper()
	r := newRig(t, spec(tree.AskNever, n), nil)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRefusedActs checks that each act that cannot be done says why, and changes nothing.
func TestRefusedActs(t *testing.T) {
	r := finished(t, 5)
	lr := func(v float64) *tree.Transition {
		return &tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 12}, Changes: []tree.Change{{Param: "learning_rate", To: tree.Number(v)}}}
	}
	for _, x := range []struct {
		c    tree.Command
		want string
	}{
		{tree.Command{Kind: "dance"}, "unknown command"},
		{tree.Command{Kind: tree.CmdApprove, Node: 99}, "no node 99"},
		{tree.Command{Kind: tree.CmdApprove, Node: 1}, "must be proposed"},
		{tree.Command{Kind: tree.CmdVeto, Node: 1}, "must be proposed"},
		{tree.Command{Kind: tree.CmdEdit, Node: 1}, "must be proposed"},
		{tree.Command{Kind: tree.CmdUnveto, Node: 1}, "must be vetoed"},
		{tree.Command{Kind: tree.CmdAnother, Node: 1}, "budget is spent"},
		{tree.Command{Kind: tree.CmdBranch, Node: 1, Transition: lr(0.01)}, "budget is spent"},
		{tree.Command{Kind: tree.CmdHint}, "hint is empty"},
		{tree.Command{Kind: tree.CmdHint, Node: 99, Text: "x"}, "no node 99"},
		{tree.Command{Kind: tree.CmdHint, Text: "\x1b[2J"}, "control characters"},
		{tree.Command{Kind: tree.CmdPin, Node: 99}, "no node 99"},
		{tree.Command{Kind: tree.CmdPrune, Node: 0}, "root cannot be pruned"},
		{tree.Command{Kind: tree.CmdUnprune, Node: 1}, "must be pruned"},
		{tree.Command{Kind: tree.CmdStopNode, Node: 1}, "must be running"},
		{tree.Command{Kind: tree.CmdRetry, Node: 1}, "must be failed"},
		{tree.Command{Kind: tree.CmdBan}, "no parameter"},
		{tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "warp"}}, "no such parameter"},
		{tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "learning_rate", Min: 1, Max: 0}}, "from low to high"},
		{tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "learning_rate", Min: 0, Max: 1}}, "leaves no value"},
		{tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "loss_type", Choice: "ppo"}}, "not one of its choices"},
		{tree.Command{Kind: tree.CmdUnban, Ban: &tree.Ban{Param: "learning_rate"}}, "no such ban"},
		{tree.Command{Kind: tree.CmdApproval, Approval: &tree.Approval{Mode: "yes"}}, "choose ask, risky or all"},
		{tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{}}, "no limit at all"},
		{tree.Command{Kind: tree.CmdPause}, "only a running one"},
		{tree.Command{Kind: tree.CmdResume}, "raise the budget"},
		{tree.Command{Kind: tree.CmdCancel}, "done already"},
		{tree.Command{Kind: tree.CmdRename, Text: strings.Repeat("x", 81)}, "longer than 80"},
		{tree.Command{Kind: tree.CmdReevaluate, Node: 1}, "does not run"},
	} {
		before := r.Tree().Seq
		err := r.Do(t.Context(), x.c)
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s of node %d: %v, want an error with %q", x.c.Kind, x.c.Node, err, x.want)
		}
		if r.Tree().Seq != before {
			t.Errorf("%s was refused and changed the tree", x.c.Kind)
		}
	}
	r.do(t, tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: 9}})
	for _, x := range []struct {
		t    *tree.Transition
		want string
	}{
		{nil, "no transition"},
		{lr(7), "outside"},
		{&tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 11}}, "no checkpoint at step 11"},
		{&tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 12}, Steps: -1}, "at least 1"},
		{&tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 12}, Changes: []tree.Change{{Param: "warp"}}}, "no such parameter"},
	} {
		if err := r.Do(t.Context(), tree.Command{Kind: tree.CmdBranch, Node: 1, Transition: x.t}); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("branch with %+v: %v, want an error with %q", x.t, err, x.want)
		}
	}
	r.do(t, tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "learning_rate", Min: 0.009, Max: 0.02, Why: "diverges"}})
	if err := r.Do(t.Context(), tree.Command{Kind: tree.CmdBranch, Node: 1, Transition: lr(0.01)}); err == nil || !strings.Contains(err.Error(), "banned") {
		t.Errorf("branching into a ban: %v", err)
	}
	r.check(t)
}

// TestRaisedBudget checks that a finished search goes on when its budget is raised.
func TestRaisedBudget(t *testing.T) {
	r := finished(t, 4)
	r.do(t, tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: 7}})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.check(t); now.Spent.Segments != 7 || now.Status != tree.SearchDone {
		t.Errorf("the search is %s after %d segments, want done after 7", now.Status, now.Spent.Segments)
	}
}

func TestStopKeepsTheCheckpoint(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 3), nil)
	h := newHold(2, 5)
	r.trainer.gate = h.gate
	v, finish := r.started(t)
	<-h.reached
	r.do(t, tree.Command{Kind: tree.CmdStopNode, Node: 2, Text: "looks bad"})
	v.until(t, "the search is done", func(x *tree.Tree) bool { return x.Status == tree.SearchDone })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	n := r.check(t).Nodes[2]
	if n.State != tree.StateStopped || n.Outcome.Stop.By != "human" || n.Outcome.Stop.Why != "looks bad" || n.Outcome.Stop.SavedSteps != 7 {
		t.Errorf("node 2 is %s with %+v", n.State, n.Outcome.Stop)
	}
	if c := n.Outcome.Checkpoints[len(n.Outcome.Checkpoints)-1]; c.Step != n.Transition.From.Step+5 || !c.Val.Known() || c.Ref == "" {
		t.Errorf("the last checkpoint is %+v, want the scored one of the fifth step", c)
	}
}

func TestPauseResumeCancel(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 6), nil)
	h, h4 := newHold(2, 3), newHold(4, 3)
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		return errors.Join(h.gate(ctx, job, step), h4.gate(ctx, job, step))
	}
	v, finish := r.started(t)
	<-h.reached
	r.do(t, tree.Command{Kind: tree.CmdPause, Text: "lunch"})
	close(h.release)
	v.until(t, "node 2 has ended", func(x *tree.Tree) bool { return isTrained(x, 2) })
	if now := r.Tree(); now.Status != tree.SearchPaused || now.Reason != "lunch" || len(now.Nodes) != 3 {
		t.Errorf("the paused search is %s (%s) with %d nodes, want nothing new after the running segment", now.Status, now.Reason, len(now.Nodes))
	}
	r.do(t, tree.Command{Kind: tree.CmdResume})
	<-h4.reached
	r.do(t, tree.Command{Kind: tree.CmdCancel})
	v.until(t, "the search is canceled", func(x *tree.Tree) bool { return x.Status == tree.SearchCanceled })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.check(t).Nodes {
		if n.State == tree.StateRunning {
			t.Errorf("node %d still runs after the search was canceled", n.ID)
		}
	}
	close(h4.release)
	r.do(t, tree.Command{Kind: tree.CmdResume})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.check(t); now.Status != tree.SearchDone || now.Spent.Segments != 6 {
		t.Errorf("the canceled search went on to %s after %d segments", now.Status, now.Spent.Segments)
	}
}

// TestLeavingAndComingBack checks that a segment that ran when the program was left starts again from its parent's
// checkpoint, and that nothing else is trained twice.
func TestLeavingAndComingBack(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 6), nil)
	h := newHold(3, 7)
	r.trainer.gate = h.gate
	_, finish := r.started(t)
	<-h.reached
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[3]; n.State != tree.StateQueued || now.Status != tree.SearchPaused {
		t.Fatalf("node 3 is %s in a search that is %s", n.State, now.Status)
	}
	again := newRig(t, spec(tree.AskNever, 6), func(o *Options) { o.Tree, o.Record, o.History = now, r.record, r.record })
	again.record = r.record
	again.do(t, tree.Command{Kind: tree.CmdResume})
	if err := again.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = again.check(t)
	if now.Status != tree.SearchDone || now.Spent.Segments != 6 {
		t.Errorf("the search is %s after %d segments", now.Status, now.Spent.Segments)
	}
	if first := again.trainer.jobs[0]; first.Node != 3 || first.Attempt != 2 || len(first.Resume) == 0 && now.Nodes[3].Parent != 0 {
		t.Errorf("the first job is %+v, want the second attempt of node 3", first)
	}
	for _, j := range again.trainer.jobs {
		if j.Node < 3 {
			t.Errorf("node %d was trained again", j.Node)
		}
	}
}

// follow is a trainer whose segments outlive the program.
type follow struct {
	*fakeTrainer
	asked []tree.Job
}

func (f *follow) Find(_ context.Context, job tree.Job) bool {
	f.asked = append(f.asked, job)
	return true
}

func TestDetachedSegmentIsFollowed(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 4), nil)
	f := &follow{fakeTrainer: r.trainer}
	r.opts.Trainer = f
	h := newHold(2, 4)
	r.trainer.gate = h.gate
	ctx, leave := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-h.reached
	leave(tree.ErrDetach)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := r.check(t).Nodes[2]; n.State != tree.StateRunning {
		t.Fatalf("node 2 is %s, want running without the program", n.State)
	}
	r.trainer.gate = nil
	r.do(t, tree.Command{Kind: tree.CmdResume})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.asked) != 1 || f.asked[0].Node != 2 || f.asked[0].Attempt != 1 {
		t.Errorf("asked for %+v, want node 2's first attempt", f.asked)
	}
	if n := r.check(t).Nodes[2]; n.State != tree.StateEvaluated || n.Attempts != 1 {
		t.Errorf("node 2 is %s after %d attempts, want its first attempt followed", n.State, n.Attempts)
	}
}

// TestSteering goes through the acts that shape the tree.
func TestSteering(t *testing.T) {
	r := newRig(t, spec(tree.AskAlways, 20), nil)
	var hints []string
	r.agent.gate = func(_ context.Context, turn agent.Turn) error {
		hints = hints[:0]
		for _, h := range turn.Hints {
			hints = append(hints, h.Text)
		}
		return nil
	}
	v, finish := r.started(t)
	v.until(t, "three wait", func(x *tree.Tree) bool { return len(x.Waiting()) == 3 })
	r.do(t, tree.Command{Kind: tree.CmdApprove, Node: 1})
	v.until(t, "node 1 is trained", func(x *tree.Tree) bool { return isTrained(x, 1) })

	v.until(t, "three wait again", func(x *tree.Tree) bool { return len(x.Waiting()) == 3 })

	// A transition of one's own, from an earlier checkpoint, without the gate.
	r.do(t, tree.Command{Kind: tree.CmdBranch, Node: 1, Text: "my idea", Transition: &tree.Transition{
		From: tree.CheckpointRef{Node: 1, Step: 6}, Steps: 8, Changes: []tree.Change{{Param: "learning_rate", To: tree.Number(0.008)}},
	}})
	v.until(t, "the branch is trained", func(x *tree.Tree) bool { return isTrained(x, 5) })
	if n := v.tree.Nodes[5]; n.Parent != 1 || n.Transition.By != "human" || n.Transition.From.Step != 6 ||
		n.Outcome.Checkpoints[len(n.Outcome.Checkpoints)-1].Step != 14 || n.Transition.Changes[0].From.Num != 1e-3 {
		t.Errorf("the branch is %+v", n.Transition)
	}

	// Another proposal, with a hint: made although three wait already.
	r.do(t, tree.Command{Kind: tree.CmdAnother, Node: 5, Text: "try longer answers"})
	v.until(t, "a proposal from node 5", func(x *tree.Tree) bool { return len(x.Nodes) > 6 && x.Nodes[6].Parent == 5 })
	if len(v.tree.Nodes[5].Children) != 1 || v.tree.Hints[0].Text != "try longer answers" || hints[0] != "try longer answers" {
		t.Errorf("children %v, hints %v, the agent saw %v", v.tree.Nodes[5].Children, v.tree.Hints, hints)
	}
	v.until(t, "the pin is gone", func(x *tree.Tree) bool { return !x.Nodes[5].Pinned })

	// Prune a subtree and bring it back; a veto inside it, made before, stays one.
	r.do(t, tree.Command{Kind: tree.CmdVeto, Node: 6, Text: "no"})
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: 5})
	if now := r.Tree(); now.Nodes[5].State != tree.StatePruned || now.Nodes[6].State != tree.StatePruned {
		t.Errorf("after pruning: %s and %s", now.Nodes[5].State, now.Nodes[6].State)
	}
	if err := r.Do(t.Context(), tree.Command{Kind: tree.CmdUnprune, Node: 6}); err == nil || !strings.Contains(err.Error(), "node 5") {
		t.Errorf("bringing back below a pruned node: %v", err)
	}
	r.do(t, tree.Command{Kind: tree.CmdUnprune, Node: 5})
	r.do(t, tree.Command{Kind: tree.CmdUnveto, Node: 6})
	if now := r.Tree(); now.Nodes[5].State != tree.StateEvaluated || now.Nodes[6].State != tree.StateProposed || now.Nodes[6].Verdict != nil {
		t.Errorf("after bringing back: %s and %s", now.Nodes[5].State, now.Nodes[6].State)
	}

	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: 6})
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: 5})
	r.do(t, tree.Command{Kind: tree.CmdUnprune, Node: 5})
	if now := r.Tree(); now.Nodes[5].State != tree.StateEvaluated || now.Nodes[6].State != tree.StatePruned {
		t.Errorf("bringing node 5 back makes it %s, and node 6, which was pruned before, %s", now.Nodes[5].State, now.Nodes[6].State)
	}
	r.do(t, tree.Command{Kind: tree.CmdUnprune, Node: 6})

	// More samples: the standard error shrinks and the cost is counted.
	before := r.Tree()
	r.do(t, tree.Command{Kind: tree.CmdReevaluate, Node: 5})
	v.until(t, "a second score", func(x *tree.Tree) bool { return x.Nodes[5].Val().N == 4*before.Nodes[5].Val().N })
	if v.tree.Spent.Cost.EvalTokens <= before.Spent.Cost.EvalTokens {
		t.Error("the second score cost nothing")
	}

	r.do(t, tree.Command{Kind: tree.CmdRename, Text: "Monday's search"})
	r.do(t, tree.Command{Kind: tree.CmdBan, Ban: &tree.Ban{Param: "learning_rate", Min: 0.05, Max: 0.1}})
	r.do(t, tree.Command{Kind: tree.CmdUnban, Ban: &tree.Ban{Param: "learning_rate", Min: 0.05, Max: 0.1}})

	// With the autopilot on, what waits goes through.
	all := tree.DefaultApproval(tree.AskNever)
	r.do(t, tree.Command{Kind: tree.CmdApproval, Approval: &all})
	v.until(t, "the search is done", func(x *tree.Tree) bool { return x.Status == tree.SearchDone })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Spec.Name != "Monday's search" || len(now.Bans) != 0 || now.Spent.Segments != 20 {
		t.Errorf("name %q, bans %v, %d segments", now.Spec.Name, now.Bans, now.Spent.Segments)
	}
	for _, e := range r.record.journal() {
		if e.Who == "" || e.Time.IsZero() {
			t.Errorf("entry %d (%s) does not say who and when", e.Seq, e.Body.Kind())
		}
	}
}

func TestRunTwice(t *testing.T) {
	r := newRig(t, spec(tree.AskAlways, 3), nil)
	v, finish := r.started(t)
	v.until(t, "a proposal waits", func(x *tree.Tree) bool { return len(x.Waiting()) > 0 })
	if err := r.Run(t.Context()); !errors.Is(err, ErrRunning) {
		t.Errorf("a second Run: %v, want ErrRunning", err)
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if err := r.Do(t.Context(), tree.Command{Kind: tree.CmdVeto, Node: 1}); err != nil { // also without a loop
		t.Error(err)
	}
	r.check(t)
}

// TestResumeWhileEnding resumes a search whose run was told to end and waits for its segments: the loop hands acts its own
// context then, and what they said would be overwritten when it leaves.
func TestResumeWhileEnding(t *testing.T) {
	r := finished(t, 4)
	r.do(t, tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: 9}})
	r.do(t, tree.Command{Kind: tree.CmdPause})
	ending, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.steer(ending, tree.Command{Kind: tree.CmdResume}); err == nil || !strings.Contains(err.Error(), "just ending") {
		t.Errorf("%v", err)
	}
	if got := r.check(t).Status; got != tree.SearchPaused {
		t.Errorf("the search is %s", got)
	}
	r.do(t, tree.Command{Kind: tree.CmdResume})
}
