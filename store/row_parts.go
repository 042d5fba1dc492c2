package store

import "llmzero/engine/tree"

// The parts of a node's row. Each writer and its reader name the same fields in the same order.

func (w *rowWriter) transition(t *tree.Transition) {
	w.int(int64(t.From.Node))
	w.int(int64(t.From.Step))
	w.text(t.FromWhy)
	list(w, t.Changes, func(c *tree.Change) {
		w.text(c.Param)
		w.value(c.From)
		w.value(c.To)
		w.text(c.Reason)
	})
	list(w, t.Diagnosis, func(f *tree.Finding) {
		w.text(string(f.Pathology))
		w.text(string(f.Severity))
		list(w, f.Evidence, func(e *tree.Evidence) {
			w.text(e.Metric)
			w.int(int64(e.FromStep))
			w.int(int64(e.ToStep))
			w.float(e.From)
			w.float(e.To)
			w.text(e.Text)
		})
	})
	w.text(t.Rationale)
	w.float(t.Confidence)
	w.text(t.Effect.Text)
	w.float(t.Effect.Low)
	w.float(t.Effect.High)
	w.int(int64(t.Steps))
	w.text(t.By)
	w.text(t.Note)
	w.text(t.Exchange)
}

func (r *rowReader) transition(t *tree.Transition) {
	t.From = tree.CheckpointRef{Node: tree.NodeID(r.int()), Step: int(r.int())}
	t.FromWhy = r.text()
	t.Changes = items(r, func(c *tree.Change) {
		c.Param, c.From, c.To, c.Reason = r.text(), r.value(), r.value(), r.text()
	})
	t.Diagnosis = items(r, func(f *tree.Finding) {
		f.Pathology, f.Severity = tree.Pathology(r.text()), tree.Severity(r.text())
		f.Evidence = items(r, func(e *tree.Evidence) {
			e.Metric, e.FromStep, e.ToStep = r.text(), int(r.int()), int(r.int())
			e.From, e.To, e.Text = r.float(), r.float(), r.text()
		})
	})
	t.Rationale, t.Confidence = r.text(), r.float()
	t.Effect = tree.Effect{Text: r.text(), Low: r.float(), High: r.float()}
	t.Steps, t.By, t.Note, t.Exchange = int(r.int()), r.text(), r.text(), r.text()
}

func (w *rowWriter) verdict(v *tree.Verdict) {
	w.text(string(v.Decision))
	w.text(v.Who)
	w.time(v.When)
	w.text(v.Why)
	if w.bool(v.Original != nil); v.Original != nil {
		w.transition(v.Original)
	}
}

func (r *rowReader) verdict() *tree.Verdict {
	v := &tree.Verdict{Decision: tree.Decision(r.text()), Who: r.text(), When: r.time(), Why: r.text()}
	if r.bool() {
		v.Original = &tree.Transition{}
		r.transition(v.Original)
	}
	return v
}

func (w *rowWriter) outcome(o *tree.Outcome) {
	list(w, o.Checkpoints, func(c *tree.Checkpoint) {
		w.int(int64(c.Step))
		w.int(c.Tokens)
		w.text(c.Ref)
		w.int(c.Size)
		w.score(c.Val)
	})
	w.int(int64(o.Chosen))
	w.text(o.ChosenWhy)
	w.score(o.Val)
	w.cost(o.Cost)
	if w.bool(o.Stop != nil); o.Stop != nil {
		w.text(o.Stop.By)
		w.text(o.Stop.Why)
		w.int(int64(o.Stop.AtStep))
		w.int(int64(o.Stop.SavedSteps))
		w.int(o.Stop.SavedTokens)
	}
	if w.bool(o.Failure != nil); o.Failure != nil {
		w.text(string(o.Failure.Class))
		w.text(o.Failure.Message)
	}
	w.text(o.Kernel)
	list(w, o.Spark, func(f *float64) { w.float(*f) })
	if w.bool(o.Trial != nil); o.Trial != nil {
		w.int(int64(o.Trial.AtStep))
		w.bool(o.Trial.FalseStop)
	}
}

func (r *rowReader) outcome() *tree.Outcome {
	o := &tree.Outcome{}
	o.Checkpoints = items(r, func(c *tree.Checkpoint) {
		c.Step, c.Tokens, c.Ref, c.Size, c.Val = int(r.int()), r.int(), r.text(), r.int(), r.score()
	})
	o.Chosen, o.ChosenWhy, o.Val, o.Cost = int(r.int()), r.text(), r.score(), r.cost()
	if r.bool() {
		o.Stop = &tree.StopNote{
			By: r.text(), Why: r.text(), AtStep: int(r.int()), SavedSteps: int(r.int()), SavedTokens: r.int(),
		}
	}
	if r.bool() {
		o.Failure = &tree.Failure{Class: tree.FailureClass(r.text()), Message: r.text()}
	}
	o.Kernel = r.text()
	o.Spark = items(r, func(f *float64) { *f = r.float() })
	if r.bool() {
		o.Trial = &tree.StopTrial{AtStep: int(r.int()), FalseStop: r.bool()}
	}
	return o
}

func (w *rowWriter) score(s tree.Score) {
	if w.int(int64(s.N)); s != (tree.Score{N: s.N}) {
		w.bool(true)
		w.float(s.Mean)
		w.float(s.SE)
	} else {
		w.bool(false)
	}
}

func (r *rowReader) score() tree.Score {
	s := tree.Score{N: int(r.int())}
	if r.bool() {
		s.Mean, s.SE = r.float(), r.float()
	}
	return s
}

func (w *rowWriter) cost(c tree.Cost) {
	w.int(int64(c.Steps))
	w.int(c.PromptTokens)
	w.int(c.SampledTokens)
	w.int(c.TrainedTokens)
	w.int(c.EvalTokens)
	w.float(c.WallSeconds)
	w.float(c.GPUSeconds)
	w.float(c.FLOP)
	w.int(c.PeakMemory)
}

func (r *rowReader) cost() tree.Cost {
	return tree.Cost{
		Steps: int(r.int()), PromptTokens: r.int(), SampledTokens: r.int(), TrainedTokens: r.int(), EvalTokens: r.int(),
		WallSeconds: r.float(), GPUSeconds: r.float(), FLOP: r.float(), PeakMemory: r.int(),
	}
}
