package trainer

import "os/exec"

// Need is a program that some trainer or launcher uses.
type Need struct {
	Name  string // "Slurm"
	Value string // where it is, or that it is not there
	OK    bool
	Hint  string // who needs it, when it is not there
}

// Needs looks for the programs that external trainers and launchers use. The embedded trainer needs none.
func Needs() []Need {
	out := []Need{
		{Name: "Python", Value: "python3", Hint: "only external trainers need it"},
		{Name: "Slurm", Value: "sbatch", Hint: "only a cluster's launcher needs it"},
	}
	for i, n := range out {
		path, err := exec.LookPath(n.Value)
		if err != nil {
			out[i].Value += " not found"
			continue
		}
		out[i].Value, out[i].OK, out[i].Hint = path, true, ""
	}
	return out
}
