package themes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseOverridesFewTokens(t *testing.T) {
	th, err := Parse("/etc/themes/Ember.toml", []byte("base = \"gruvbox-dark\"\n[colors]\naccent = \"#ff8800\"\n"), Builtins())
	if err != nil {
		t.Fatal(err)
	}
	base, _ := Lookup(Builtins(), "gruvbox-dark", true)
	for _, tok := range Tokens() {
		want := base.RGB(tok)
		if tok == Accent {
			want = Color{255, 0x88, 0}
		}
		if th.RGB(tok) != want {
			t.Errorf("%s = %s, want %s", tok, th.RGB(tok), want)
		}
	}
	if th.Name != "ember" || !th.Dark || th.File != "/etc/themes/Ember.toml" {
		t.Errorf("name %q, dark %v, file %q", th.Name, th.Dark, th.File)
	}
}

// TestParseNewBackground turns a dark base light: what the file does not set is moved to stay legible, what it sets is
// kept and reported.
func TestParseNewBackground(t *testing.T) {
	th, err := Parse("x.toml", []byte(`base = "zero-dark"
[colors]
background = "#ffffff"
surface = "#ffffff"
overlay = "#ffffff"
selection_bg = "#eeeeee"
text = "#111111"
gain = "#ffff00"
`), Builtins())
	if err != nil {
		t.Fatal(err)
	}
	if th.Dark {
		t.Error("a white background with black text is not dark")
	}
	if th.RGB(Gain) != hex("#ffff00") {
		t.Errorf("gain was set to #ffff00 and became %s", th.RGB(Gain))
	}
	problems := th.Problems()
	if len(problems) == 0 {
		t.Error("yellow on white should be reported")
	}
	for _, p := range problems {
		if !strings.HasPrefix(p, "gain ") {
			t.Errorf("a token that the file did not set is hard to read: %s", p)
		}
	}
}

func TestParseChoosesBaseByBackground(t *testing.T) {
	light, err := Parse("x.toml", []byte("[colors]\nbackground = \"#fffef0\"\n"), Builtins())
	if err != nil || light.RGB(Text) != Default(false).RGB(Text) {
		t.Errorf("a light background should extend our light theme: text %s, %v", light.RGB(Text), err)
	}
}

func TestParseErrorsNameFileLineAndToken(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"bad colour", "[colors]\n\naccent = \"blue\"\n", "f.toml:3: accent: \"blue\" is not a colour"},
		{"unknown token", "[colors]\nacent = \"#fff\"\n", "f.toml:2: acent: unknown token"},
		{"dotted key", "colors.acent = \"#fff\"\n", "f.toml:1: acent: unknown token"},
		{"unknown base", "# c\nbase = \"nord\"\n", "f.toml:2: base: no theme is called \"nord\""},
		{"unknown key", "author = \"me\"\n", "f.toml:1: author: unknown key"},
		{"unknown table", "[colours]\naccent = \"#fff\"\n", "f.toml:1: unknown table [colours]"},
		{"array table", "[[colors]]\naccent = \"#fff\"\n", "f.toml:1: unknown table [[colors]]"},
		{"number", "[colors]\naccent = 12\n", "f.toml:2: accent: its value must be a string"},
		{"twice", "[colors]\naccent = \"#fff\"\naccent = \"#000\"\n", "f.toml:3: accent: set in line 2 already"},
		{"table twice", "[colors]\n[colors]\n", "f.toml:2: the table [colors] stands in line 1 already"},
		{"syntax", "name = \"x\"\n[colors\n", "f.toml:2: not valid TOML"},
		{"name", "name = \"My Theme\"\n", "f.toml:1: name: \"My Theme\" is not a theme name"},
		{"control", "title = \"a\\u001b[31m\"\n", "f.toml:1: title: control characters"},
		{"too long", strings.Repeat("#", maxThemeFile+1), "f.toml:1: the file has more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.toml", []byte(c.in), Builtins())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
			var fe *FileError
			if !errors.As(err, &fe) || fe.File != "f.toml" || fe.Line < 1 {
				t.Errorf("%v is not a FileError with file and line", err)
			}
		})
	}
	_, err := Parse("f.toml", []byte("[colors]\naccent = \"a\"\nbest = \"b\"\n"), Builtins())
	if err == nil || strings.Count(err.Error(), "f.toml:") != 2 {
		t.Errorf("two mistakes should be reported together: %v", err)
	}
}

func TestTOMLRoundTrip(t *testing.T) {
	for _, th := range Builtins() {
		got, err := Parse("f.toml", th.TOML(), Builtins())
		if err != nil {
			t.Errorf("%s: %v", th.Name, err)
			continue
		}
		th.File = "f.toml"
		if got != th {
			t.Errorf("%s changed when written and read back", th.Name)
		}
	}
}

func TestLoadDir(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b-good.toml": "[colors]\naccent = \"#abc\"\n",
		"a-bad.toml":  "[colors]\naccent = \"abc\"\n",
		"notes.txt":   "not a theme",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.toml"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := LoadDir(dir, Builtins())
	if len(got) != 1 || got[0].Name != "b-good" {
		t.Errorf("themes %v, want b-good alone", Names(got))
	}
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "a-bad.toml")+":2: accent") {
		t.Errorf("the error should name the bad file, its line and token: %v", err)
	}
	if got, err := LoadDir(filepath.Join(dir, "missing"), Builtins()); got != nil || err != nil {
		t.Errorf("a folder that does not exist gives %v, %v", got, err)
	}
}

// FuzzParse: whatever a file holds, Parse neither panics nor accepts a theme that its own TOML does not give back.
func FuzzParse(f *testing.F) {
	f.Add([]byte("name = \"x\"\nbase = \"dark\"\n[colors]\naccent = \"#ff8800\"\n"))
	f.Add([]byte("colors.text = '#fff'\ncolors.'a.b' = \"\"\n"))
	f.Add([]byte("[[colors]]\n[colors.x]\ny = {a = 1, b = [1, 2]}\n"))
	f.Add([]byte("a = \"\"\"\n\xff"))
	f.Add(Default(true).TOML())
	f.Fuzz(func(t *testing.T, data []byte) {
		th, err := Parse("f.toml", data, Builtins())
		if err != nil {
			var fe *FileError
			lines := strings.Count(string(data), "\n") + 1
			if !errors.As(err, &fe) || fe.Line < 1 || fe.Line > lines {
				t.Fatalf("error without a line of the file: %v", err)
			}
			return
		}
		again, err := Parse("f.toml", th.TOML(), Builtins())
		if err != nil || again != th {
			t.Fatalf("%q gives a theme that is not read back: %v", data, err)
		}
	})
}
