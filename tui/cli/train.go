package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"llmzero/engine/report"
	"llmzero/engine/tree"
	"llmzero/trainer"
)

func newTrain(a *app) *cobra.Command {
	var plan trainer.Plan
	var name, from, save string
	var set []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "train",
		Short: "Train with constant parameters and score the result",
		Long: "Train one run with constant parameters: what a search is compared with, and an objective for any outside\n" +
			"optimiser. One JSON object with --json; progress goes to standard error.",
		Example: "  llmzero train --task mixed --steps 160 --set learning_rate=1e-3 --json\n" +
			"  llmzero train --task mixed --steps 40 --save a.safetensors\n  llmzero train --task mixed --steps 40 --from a.safetensors",
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&plan.Task, "task", "mixed", "task (llmzero tasks lists them)")
	f.IntVar(&plan.Base, "base", 1, "which of the task's base models")
	f.StringVar(&name, "trainer", "grpo", "trainer")
	f.StringArrayVar(&set, "set", nil, "parameter, NAME=VALUE; may be repeated")
	f.IntVar(&plan.Steps, "steps", 0, "optimizer steps")
	f.Int64Var(&plan.Tokens, "tokens", 0, "stop after this many tokens, prompt + sampled + trained")
	f.Uint64Var(&plan.Seed, "seed", 1, "random seed")
	f.IntVar(&plan.ValSamples, "val-samples", 0, "samples of the validation score (default the trainer's)")
	f.StringVar(&from, "from", "", "checkpoint file to go on from; the seed is --seed's: with the file's own, this run continues that one to the bit")
	f.StringVar(&save, "save", "", "write the last checkpoint to this file, all at once; without a new one the file stays as it is")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if plan.Steps < 0 || plan.Tokens < 0 || (plan.Steps == 0 && plan.Tokens == 0) {
			return Usage("train: say how long with --steps or --tokens")
		}
		if plan.ValSamples < 0 || plan.ValSamples > maxSamples {
			return Usage("--val-samples %d: want 1 to %d, or 0 for the trainer's default", plan.ValSamples, maxSamples)
		}
		t, config, err := a.configure(cmd.Context(), name, plan.Task, plan.Base, set)
		if err != nil {
			return err
		}
		plan.Config = config
		if from != "" {
			if plan.Checkpoint, err = os.ReadFile(from); err != nil {
				return fmt.Errorf("read the checkpoint: %w", err)
			}
		}
		if err := canKeep(save); err != nil {
			return err
		}
		r, err := trainer.Solo(cmd.Context(), t, plan, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if asJSON {
			err = printJSON(cmd.OutOrStdout(), r)
		} else {
			err = say("%s", r)(cmd.OutOrStdout())
		}
		err = errors.Join(err, keep(r, save, cmd.ErrOrStderr())) // the result is worth more than the file
		if err == nil && r.Stopped {
			return cutShort(r, save)
		}
		return err
	}
	return c
}

// cutShort is ErrInterrupted with what became of the checkpoint.
func cutShort(r trainer.Result, save string) interruption {
	switch {
	case !r.New:
		return "interrupted before the first step; nothing was trained"
	case save == "":
		return interruption(fmt.Sprintf("interrupted after %d steps; the checkpoint is not kept, for there is no --save", r.Steps))
	}
	return interruption(fmt.Sprintf("interrupted after %d steps; the checkpoint is in %s", r.Steps, save))
}

// canKeep tells before the training whether its checkpoint can be written where it is wanted.
func canKeep(path string) error {
	if path == "" {
		return nil
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return Usage("--save %s: it is a folder; name a file", path)
	case err == nil && !info.Mode().IsRegular():
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return fmt.Errorf("--save: the checkpoint could not be written: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// keep writes the checkpoint of a run to a file, when a file is wanted and there is a new checkpoint.
func keep(r trainer.Result, path string, told io.Writer) error {
	if path == "" {
		return nil
	}
	if !r.New {
		_, err := fmt.Fprintf(told, "no new checkpoint; %s is left as it was\n", path)
		return err
	}
	if err := replaceFile(path, r.Checkpoint); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

// replaceFile writes a file beside path, syncs it and puts it in the place of path, so that no crash leaves half a file. What is
// no ordinary file, such as /dev/null, is written to.
func replaceFile(path string, b []byte) (err error) {
	mode := os.FileMode(0o600)
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	if was, err := os.Stat(path); err == nil {
		if !was.Mode().IsRegular() {
			return os.WriteFile(path, b, mode)
		}
		mode = was.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// describe opens a trainer and asks what it offers.
func (a *app) describe(ctx context.Context, name string) (trainer.Trainer, tree.Description, error) {
	t, err := a.Trainers.Open(name)
	if err != nil {
		return nil, tree.Description{}, Usage("%w", err)
	}
	d, err := t.Describe(ctx)
	return t, d, err
}

// configure opens a trainer and completes --set values with the defaults of one of its tasks.
func (a *app) configure(ctx context.Context, name, task string, base int, set []string) (trainer.Trainer, tree.Config, error) {
	t, d, err := a.describe(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	info, err := d.Task(task)
	switch {
	case err != nil:
		return nil, nil, Usage("--task: %w", err)
	case base < 1 || base > max(1, info.Bases):
		return nil, nil, Usage("--base %d: task %s has base models 1 to %d", base, task, max(1, info.Bases))
	}
	c, err := d.SpaceOf(task).Parse(set)
	if err != nil {
		return nil, nil, Usage("--set %w; llmzero params lists the parameters", err)
	}
	return t, c, nil
}

func newTasks(a *app) *cobra.Command {
	var name string
	c := query("tasks [NAME]", "List the tasks that a trainer offers, or show one with its facts", cobra.MaximumNArgs(1),
		func(ctx context.Context, args []string) (any, func(io.Writer) error, error) {
			_, d, err := a.describe(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if len(args) == 1 {
				one, err := d.Task(args[0])
				if err != nil {
					return nil, nil, Usage("%w", err)
				}
				d.Tasks = []tree.TaskInfo{one}
			}
			return d.Tasks, func(w io.Writer) error { return report.TasksText(w, d.Tasks) }, nil
		})
	c.Flags().StringVar(&name, "trainer", "grpo", "trainer")
	return c
}

func newParams(a *app) *cobra.Command {
	var name, task string
	c := query("params", "List the parameters of a trainer with role, range and default", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			_, d, err := a.describe(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if _, err := d.Task(task); task != "" && err != nil {
				return nil, nil, Usage("--task: %w", err)
			}
			s := d.SpaceOf(task)
			return s.Params, func(w io.Writer) error { return report.ParamsText(w, s) }, nil
		})
	c.Flags().StringVar(&name, "trainer", "grpo", "trainer")
	c.Flags().StringVar(&task, "task", "", "with the ranges and defaults of this task")
	return c
}
