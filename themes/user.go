package themes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxThemeFile bounds what is read of a theme file, in bytes; a complete theme takes about two thousand.
const maxThemeFile = 64 << 10

// FileError is one mistake in a theme file: where it is and what to do. Token is the key it concerns, or empty.
type FileError struct {
	File  string
	Line  int // from 1
	Token string
	Msg   string
}

// Error reads "FILE:LINE: TOKEN: what to do".
func (e *FileError) Error() string {
	if e.Token == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Token, e.Msg)
}

var themeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// Parse reads a user theme: a TOML file that names a base among bases (by default our own of the same darkness) and
// overrides some of its tokens.
//
//	name = "ember"             # by default the file's name
//	base = "gruvbox-dark"
//	[colors]
//	accent = "#ff8800"
//
// The tokens it sets are kept as written; the others are moved to stay legible if the file changes a surface. The error
// joins one *FileError for each mistake, with file, line and token.
func Parse(file string, data []byte, bases []Theme) (Theme, error) {
	if len(data) > maxThemeFile {
		return Theme{}, &FileError{File: file, Line: 1, Msg: fmt.Sprintf("the file has more than %d bytes; is it a theme?", maxThemeFile)}
	}
	f := parser{file: file, colors: Palette{}, seen: map[string]int{}}
	f.parse(data)
	base := f.chooseBase(bases)
	name := f.name.text
	if name == "" {
		name = strings.ToLower(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	if !themeName.MatchString(name) {
		f.fail(max(f.name.line, 1), "name", "%q is not a theme name: use small letters, digits and hyphens, 40 at most", name)
	}
	if len(f.errs) > 0 {
		return Theme{}, errors.Join(f.errs...)
	}
	th := base.At(DepthFull)
	th.Name, th.Title, th.File = name, f.title.text, file
	if th.Title == "" {
		th.Title = name
	}
	surfaceChanged := false
	for t, c := range f.colors {
		th.colors[t] = c
		surfaceChanged = surfaceChanged || t < Border
	}
	if surfaceChanged {
		th.Dark = th.colors[Background].Luminance() < th.colors[Text].Luminance()
		th.adjust(f.colors)
	}
	return th, nil
}

// Available are the built-in themes and those of a folder of the researcher's own; see LoadDir for its error.
func Available(dir string) ([]Theme, error) {
	built := Builtins()
	own, err := LoadDir(dir, built)
	return append(built, own...), err
}

// LoadDir reads every *.toml of a folder, in the order of their names. A folder that does not exist holds no themes.
// Files with mistakes are left out; the error joins what is wrong with them, and the other themes are still good.
func LoadDir(dir string, bases []Theme) ([]Theme, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the theme folder: %w", err)
	}
	var out []Theme
	var errs []error
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".toml" {
			continue
		}
		file := filepath.Join(dir, e.Name())
		data, err := readTheme(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("read a theme: %w", err))
			continue
		}
		th, err := Parse(file, data, bases)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, th)
	}
	return out, errors.Join(errs...)
}

// readTheme reads one byte more than a theme may have, so that Parse sees that it is too long.
func readTheme(file string) (_ []byte, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	// Opening a named pipe would wait for a writer for ever.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, maxThemeFile+1))
}

// TOML writes the theme as a complete theme file, a starting point for one's own. Parse reads the same colours back.
func (th Theme) TOML() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A theme of llmzero. Delete the lines you do not change: the base has them.\n")
	base := "zero-light"
	if th.Dark {
		base = "zero-dark"
	}
	fmt.Fprintf(&b, "name = %q\ntitle = %q\nbase = %q\n\n[colors]\n", th.Name, th.Title, base)
	for t := range numTokens {
		fmt.Fprintf(&b, "%s = %q\n", t, th.colors[t].String())
	}
	return b.Bytes()
}

// parser gathers what one theme file says. It walks the syntax tree rather than decode into a struct, because only the
// tree knows the line of each key.
type parser struct {
	file              string
	name, title, base stringAt
	colors            Palette
	seen              map[string]int // full key -> line
	errs              []error
}

type stringAt struct {
	text string
	line int
}

func (f *parser) fail(line int, token, format string, args ...any) {
	f.errs = append(f.errs, &FileError{File: f.file, Line: line, Token: token, Msg: fmt.Sprintf(format, args...)})
}

func (f *parser) parse(data []byte) {
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		key, line := keyOf(&p, e)
		switch e.Kind {
		case unstable.Table:
			table = key
			if first, twice := f.seen["["+key+"]"]; twice {
				f.fail(line, "", "the table [%s] stands in line %d already", key, first)
			}
			f.seen["["+key+"]"] = line
			if key != "colors" {
				f.fail(line, "", "unknown table [%s]; a theme has only [colors]", key)
			}
		case unstable.ArrayTable:
			table = key
			f.fail(line, "", "unknown table [[%s]]; a theme has only [colors]", key)
		case unstable.KeyValue:
			f.keyValue(table, key, line, e.Value())
		default:
		}
	}
	if err := p.Error(); err != nil {
		line := 1
		var pe *unstable.ParserError
		if errors.As(err, &pe) {
			line = lineAt(data, pe.Highlight)
		}
		f.fail(line, "", "not valid TOML: %s", err)
	}
}

func (f *parser) keyValue(table, key string, line int, value *unstable.Node) {
	full := key
	if table != "" {
		full = table + "." + key
	}
	if first, twice := f.seen[full]; twice {
		f.fail(line, key, "set in line %d already", first)
		return
	}
	f.seen[full] = line
	if table != "" && table != "colors" {
		return // the table itself is already an error
	}
	text := string(value.Data)
	token, isColor := strings.CutPrefix(full, "colors.")
	switch {
	case value.Kind != unstable.String:
		f.fail(line, key, "its value must be a string in quotes")
	case isColor:
		f.color(token, text, line)
	case strings.ContainsFunc(text, unicode.IsControl):
		f.fail(line, key, "control characters are not allowed")
	case full == "name":
		f.name = stringAt{text, line}
	case full == "title":
		f.title = stringAt{text, line}
	case full == "base":
		f.base = stringAt{text, line}
	default:
		f.fail(line, key, "unknown key; a theme has name, title, base and [colors]")
	}
}

func (f *parser) color(token, text string, line int) {
	t, ok := TokenByName(token)
	if !ok {
		f.fail(line, token, "unknown token; the tokens are %s", strings.Join(tokenNames[:], ", "))
		return
	}
	c, err := ParseColor(text)
	if err != nil {
		f.fail(line, token, "%s", err)
		return
	}
	f.colors[t] = c
}

// chooseBase finds the base by name, or our own theme that fits the background the file sets (dark if it sets none).
func (f *parser) chooseBase(bases []Theme) Theme {
	bg, set := f.colors[Background]
	dark := !set || bg.Luminance() < 0.18 // the luminance of a middle grey
	base, err := Lookup(bases, f.base.text, dark)
	if err != nil {
		f.fail(f.base.line, "base", "%s", err)
	}
	return base
}

// keyOf joins a dotted key, quoting what is not plain, and finds the line it begins in.
func keyOf(p *unstable.Parser, e *unstable.Node) (key string, line int) {
	if e.Kind != unstable.KeyValue && e.Kind != unstable.Table && e.Kind != unstable.ArrayTable {
		return "", 0
	}
	var parts []string
	it := e.Key()
	for it.Next() {
		n := it.Node()
		if line == 0 {
			line = p.Shape(n.Raw).Start.Line
		}
		part := string(n.Data)
		if strings.ContainsFunc(part, func(r rune) bool { return r == '.' || !unicode.IsPrint(r) }) {
			part = fmt.Sprintf("%q", part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "."), line
}

// lineAt is the line of the document where the parser's highlight begins; the highlight shares the document's memory,
// so the bytes behind it are what both have in common at their ends.
func lineAt(data, highlight []byte) int {
	rest := cap(highlight)
	if rest > cap(data) {
		return 1
	}
	offset := min(cap(data)-rest, len(data))
	return bytes.Count(data[:offset], []byte{'\n'}) + 1
}
