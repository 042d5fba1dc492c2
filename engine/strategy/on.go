package strategy

import (
	"fmt"
	"maps"
	"slices"

	"llmzero/engine/tree"
)

// On is the strategy as a trainer can follow it on one of its tasks and base models, and notes on what had to give: values
// outside a range are moved to its edge, parameters that the trainer lacks are left out, and those that the strategy lacks
// stay at the task's default. An empty task and a base of 0 are the strategy's own.
func (s Strategy) On(d tree.Description, task string, base int) (Strategy, []string, error) {
	if task == "" {
		task = s.Task
	}
	if base == 0 {
		base = max(1, s.Base)
	}
	info, err := d.Task(task)
	if err != nil {
		return s, nil, err
	}
	if base < 0 || base > max(1, info.Bases) {
		return s, nil, fmt.Errorf("task %s has %d base models; there is no number %d", task, info.Bases, base)
	}
	out := s
	out.Task, out.Base, out.Trainer, out.Model = task, base, d.Name, d.Model
	out.Stages = slices.Clone(s.Stages)
	space := d.SpaceOf(task)
	var notes []string
	note := func(format string, args ...any) {
		if n := fmt.Sprintf(format, args...); !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	before := space.Defaults()
	for i := range out.Stages {
		given := s.Stages[i].Config
		config := space.Defaults()
		for _, name := range slices.Sorted(maps.Keys(given)) {
			p, ok := space.Find(name)
			if !ok {
				note("%.60q is left out: trainer %s has no such parameter", name, d.Name)
				continue
			}
			v := given[name]
			if err := p.Check(v); err != nil {
				config[name] = p.Clamp(v)
				note("stage %d: %v, so it is %s", i+1, err, config[name])
				continue
			}
			config[name] = v
		}
		for _, p := range space.Params {
			if _, ok := given[p.Name]; !ok {
				note("%s is not in the strategy and stays at %s", p.Name, p.Default)
			}
		}
		out.Stages[i].Config, out.Stages[i].Changes = config, space.Diff(before, config)
		before = config
	}
	return out, notes, nil
}
