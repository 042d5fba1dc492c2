package termtest

import (
	"os/exec"
	"testing"
)

func TestTerminal(t *testing.T) {
	x := Start(t, 40, 6, exec.CommandContext(t.Context(), "sh", "-c", `stty size; read a; echo "got $a"; read b; exit 3`))
	x.Until("6 40")
	x.Type("hello")
	x.Press("enter")
	x.UntilMatch(`got h\w+o`)
	x.Press("enter")
	if err := x.Wait(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("err = %v, want exit status 3", err)
	}
}

func TestKill(t *testing.T) {
	x := Start(t, 40, 6, exec.CommandContext(t.Context(), "sh", "-c", "echo ready; read a"))
	x.Until("ready")
	x.Kill()
	if x.err == nil {
		t.Error("a killed program has no error")
	}
}

func TestLastWords(t *testing.T) {
	for range 50 { // the program is often gone before its words are read
		Start(t, 40, 6, exec.CommandContext(t.Context(), "echo", "farewell")).Until("farewell")
	}
}
