package base_test

import (
	"strings"
	"testing"

	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

// Every entry of the index belongs to a task and a file that decodes to the policy it says.
func TestShippedBases(t *testing.T) {
	index, err := base.Index()
	if err != nil {
		t.Fatal(err)
	}
	if len(index) == 0 {
		t.Fatal("no base is shipped")
	}
	for _, e := range index {
		k, err := task.Lookup(e.Task)
		if err != nil {
			t.Fatal(err)
		}
		file, err := k.Base(e.Base)
		if err != nil {
			t.Fatal(err)
		}
		c, w, meta, err := policy.Decode(file)
		if err != nil {
			t.Fatalf("%s %d: %v", e.Task, e.Base, err)
		}
		if len(w) != e.Parameters || meta["task"] != e.Task || c.Vocab != task.VocabSize || c.Context != task.Context {
			t.Errorf("%s %d: shape %+v, metadata %v", e.Task, e.Base, c, meta)
		}
		if s := e.Skill; s.Sampled <= 0 || s.Pass <= s.Sampled || len(s.ByDifficulty) != k.Difficulty.Hi-k.Difficulty.Lo+1 {
			t.Errorf("%s %d: skill %+v leaves nothing to learn or is not measured", e.Task, e.Base, s)
		}
	}
}

func TestUnknownBase(t *testing.T) {
	if _, err := base.Weights("sort", 99); err == nil || !strings.Contains(err.Error(), `base 99 of task "sort"`) {
		t.Errorf("error of a missing base: %v", err)
	}
}
