package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/ansi"

	"llmzero/engine/tree"
)

// plain makes text from models, workers and files harmless for a terminal: one line without control sequences.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, ansi.Strip(s))
}

// Styles of a table on a terminal; elsewhere, and with NO_COLOR, lipgloss leaves them out.
var (
	cell   = lipgloss.NewStyle().PaddingRight(2)
	header = cell.Bold(true)
)

// grid writes a table of rows whose cells are separated by tabs, under a head unless that is empty.
func grid(w io.Writer, head string, rows []string) error {
	t := table.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).Wrap(false).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow {
				return header
			}
			return cell
		})
	if head != "" {
		t.Headers(strings.Split(head, "\t")...)
	}
	for _, r := range rows {
		t.Row(strings.Split(r, "\t")...)
	}
	_, err := lipgloss.Fprintln(w, t.Render())
	return err
}

// ListText writes a line for each search.
func ListText(w io.Writer, all []tree.Summary) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no searches yet; llmzero opens the workbench, llmzero run starts one")
		return err
	}
	var rows []string
	for _, s := range all {
		scores := "–\t–\t–"
		if s.Scored() {
			scores = fmt.Sprintf("%.3f\t%.3f\t–", s.BaseVal, s.BestVal)
		}
		if s.Segments > 0 {
			scores = fmt.Sprintf("%.3f\t%.3f\t%+.3f", s.BaseVal, s.BestVal, s.BestVal-s.BaseVal)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s",
			plain(s.Search), plain(s.Task), plain(s.Agent), s.Policy, s.Status, s.Segments, scores, s.Created.Local().Format("2006-01-02 15:04")))
	}
	return grid(w, "SEARCH\tTASK\tAGENT\tPOLICY\tSTATUS\tSEGMENTS\tBASE\tBEST\tGAIN\tCREATED", rows)
}

// TreeText writes a search as an outline: what each node changed, its state, score and gain over its parent.
func TreeText(w io.Writer, t *tree.Tree) error {
	s := Make(t)
	head := fmt.Sprintf("%s  %s · %s · %s · %s  %s", s.Search, s.Task, plain(s.Trainer), plain(s.Agent), s.Policy, s.Status)
	if s.Reason != "" {
		head += ": " + plain(s.Reason)
	}
	if _, err := fmt.Fprintf(w, "%s\n%d segments, %d tokens, %.1f s\n\n", head, s.Segments, s.Tokens, s.WallS); err != nil {
		return err
	}
	best := map[tree.NodeID]bool{}
	if s.Best != nil {
		for _, n := range t.Path(s.Best.Node) {
			best[n.ID] = true
		}
	}
	var rows []string
	var walk func(n *tree.Node)
	walk = func(n *tree.Node) {
		rows = append(rows, nodeLine(t, n, best[n.ID]))
		for _, c := range n.Children {
			walk(t.Nodes[c])
		}
	}
	if len(t.Nodes) > 0 {
		walk(t.Nodes[tree.Root])
	}
	return grid(w, "", rows)
}

func nodeLine(t *tree.Tree, n *tree.Node, best bool) string {
	name, mark := "root", " "
	if n.ID != tree.Root {
		name = fmt.Sprintf("n%d %s", n.ID, Changes(t.Spec.Space, n.Transition.Changes))
	}
	if best {
		mark = "*"
	}
	score, gain, note := "", "", ""
	if v := n.Val(); v.Known() {
		score = fmt.Sprintf("%.3f ±%.3f", v.Mean, v.SE)
		if p := t.Nodes[n.Parent].Val(); n.ID != tree.Root && p.Known() {
			gain = fmt.Sprintf("%+.3f", v.Mean-p.Mean)
		}
	}
	switch {
	case n.Outcome != nil && n.Outcome.Failure != nil:
		note = n.Outcome.Failure.Error()
	case n.Verdict != nil && n.Verdict.Decision == tree.Vetoed:
		note = n.Verdict.Why
	case n.Outcome != nil && n.Outcome.Stop != nil:
		note = n.Outcome.Stop.Why
	}
	return fmt.Sprintf("%s%s %s\t%s\t%s\t%s\t%s", strings.Repeat("  ", n.Depth), mark, plain(name), n.State, score, gain, plain(note))
}

// Changes says what a transition changes in a few words: "lr 0.001 → 0.0005, n 8 → 16".
func Changes(s tree.Space, changes []tree.Change) string {
	if len(changes) == 0 {
		return "no change"
	}
	words := make([]string, len(changes))
	for i, c := range changes {
		label := c.Param
		if p, ok := s.Find(c.Param); ok {
			label = p.Label()
		}
		words[i] = fmt.Sprintf("%s %s → %s", label, c.From, c.To)
	}
	return strings.Join(words, ", ")
}

// TasksText writes the tasks of a trainer; a single one with its facts.
func TasksText(w io.Writer, tasks []tree.TaskInfo) error {
	var rows []string
	for _, t := range tasks {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%s", plain(t.Name), t.Bases,
			t.Budgets["tight"], t.Budgets["middle"], t.Budgets["ample"], plain(t.Help)))
	}
	if err := grid(w, "TASK\tBASES\tTIGHT\tMIDDLE\tAMPLE\tWHAT IT IS", rows); err != nil {
		return err
	}
	if len(tasks) != 1 || tasks[0].Facts == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(tasks[0].Facts))
	return err
}

// ParamsText writes a space: each parameter with its role, range, default and help.
func ParamsText(w io.Writer, s tree.Space) error {
	rows := make([]string, 0, len(s.Params))
	for _, p := range s.Params {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s",
			plain(p.Name), plain(p.Short), p.Role, p.Default, p.Range(), p.Scale, plain(p.Help)))
	}
	return grid(w, "PARAMETER\tLABEL\tROLE\tDEFAULT\tRANGE\tSCALE\tWHAT IT DOES", rows)
}
