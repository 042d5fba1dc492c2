package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// libraryDidMsg says what came of an act on the library.
type libraryDidMsg struct {
	what string
	form dialog // asked for it
	err  error
}

// onLibrary carries out an act on the library and reads the list again.
func (a *app) onLibrary(what, failed string, f func(context.Context) (string, error)) tea.Cmd {
	form := a.submitted
	return a.task(func(ctx context.Context) tea.Msg {
		more, err := f(ctx)
		if err != nil {
			return libraryDidMsg{failed, form, err}
		}
		return libraryDidMsg{what: what + more}
	})
}

func (a *app) libraryDid(m libraryDidMsg) tea.Cmd {
	if m.err != nil {
		a.fail(m.what, m.err)
		a.reopen(m.form)
	} else {
		a.good(m.what)
	}
	return a.loadList()
}

func (a *app) homeRename() tea.Cmd {
	s := a.home.current()
	id := s.Search
	a.ask("Name of "+id, "", s.Name, "", func(a *app, text string) tea.Cmd {
		return a.onLibrary("renamed", "rename", func(ctx context.Context) (string, error) {
			sess, err := a.opt.Library.Open(ctx, id)
			if err != nil {
				return "", err
			}
			return "", sess.Do(ctx, tree.Command{Kind: tree.CmdRename, Text: text})
		})
	})
	return nil
}

func (a *app) homeDelete() tea.Cmd {
	s := a.home.current()
	id := s.Search
	return a.confirm("Delete "+or(s.Name, id)+"?", "Its "+plural(s.Nodes, "node")+", curves, samples and checkpoints are deleted for good. Export it first if you may want it.",
		"Delete", func(a *app) tea.Cmd {
			a.home.marks = slices.DeleteFunc(a.home.marks, func(m string) bool { return m == id })
			return a.onLibrary("deleted "+id, "delete", func(ctx context.Context) (string, error) {
				return "", a.opt.Library.Remove(ctx, id)
			})
		})
}

// askStore asks for another store and leaves for it when it can be opened.
func (a *app) askStore() tea.Cmd {
	p := a.ask("Open a store", "The file of another store, such as a copy from another machine. This one is "+or(a.opt.Paths.Store, "open")+".", "", "name a file",
		func(a *app, path string) tea.Cmd {
			path = homePath(path)
			return a.task(func(ctx context.Context) tea.Msg { return storeMsg{path, a.opt.Library.Probe(ctx, path)} })
		})
	p.check = func(path string) error {
		if homePath(path) == a.opt.Paths.Store {
			return errors.New("that one is open")
		}
		return nil
	}
	return nil
}

// storeMsg tells whether a store can be opened.
type storeMsg struct {
	path string
	err  error
}

func (a *app) gotStore(m storeMsg) tea.Cmd {
	if m.err != nil {
		a.fail("open "+m.path, m.err)
		return nil
	}
	return a.underWay(true, m.path)
}

// askImport takes a search from a file into the store.
func (a *app) askImport() tea.Cmd {
	a.ask("Import a search", "A file that an export wrote in full (ID.llmzero).", "", "name a file", func(a *app, path string) tea.Cmd {
		return a.onLibrary("imported ", "not done", func(ctx context.Context) (string, error) {
			return a.opt.Library.Import(ctx, homePath(path))
		})
	})
	return nil
}

// homePath is a path with the home folder for a leading tilde, as shells have it.
func homePath(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

func (a *app) homeExport() tea.Cmd {
	return a.exportSearch(a.home.current().Search)
}

// exportSearch asks for a format and a file.
func (a *app) exportSearch(id string) tea.Cmd {
	formats := a.offer.Formats
	if len(formats) == 0 {
		a.note("the formats are not known yet; try again in a moment")
		return a.loadOffer()
	}
	items := make([]choiceItem, len(formats))
	for i, f := range formats {
		items[i] = choiceItem{label: f.Name, help: f.Help, why: f.Why}
	}
	a.choose("Export "+id, "", items, func(a *app, i int) tea.Cmd {
		a.ask("Export as "+formats[i].Name, "The file to write; empty: a free name in the working folder. Nothing is overwritten.", "", "", func(a *app, path string) tea.Cmd {
			return a.onLibrary("written to ", "not done", func(ctx context.Context) (string, error) {
				name, err := a.opt.Library.Export(ctx, id, formats[i].Name, homePath(path))
				if full, ferr := filepath.Abs(name); err == nil && ferr == nil {
					name = filepath.Base(full) + " in " + filepath.Dir(full) // a narrow screen cuts the folder, not the name
				}
				return name, err
			})
		})
		return nil
	})
	return nil
}
