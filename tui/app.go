package tui

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"llmzero/themes"
	"llmzero/tui/component/paint"
)

const (
	minCols = 60
	minRows = 20
)

// app is the root model. It routes messages; pages and dialogs do the work.
type app struct {
	opt  Options
	now  clock
	task func(func(context.Context) tea.Msg) tea.Cmd // a command that may block, ended with the screen
	feed func(*search) tea.Cmd                       // waits for the next batch of a search
	wake func(time.Duration) tea.Cmd                 // the clock's next tick
	hold func(*frames) time.Duration                 // how long the next picture has to wait

	w, h   int
	grid   *paint.Grid
	look   look
	dirty  bool
	frame  string
	frames frames

	acts      *actionTable
	page      place
	back      []place
	dialogs   []dialog
	submitted dialog // whose act is being asked for right now: what is refused opens it again
	toast     toast
	toasts    []toast // the last ones

	home     *home
	s        *search // the open search, nil on the home page alone
	offer    Offer
	devices  DeviceReport
	settings settings
	pages    pages
	pace     paces

	ticking  bool
	dragging bool // the border between tree and inspector is held
	blurred  bool
	exit     exit
}

// dialog is a layer over the page. The topmost gets the keys.
type dialog interface {
	// place says which actions of the table hold.
	place() place
	// typed gets a key before the table does; it tells whether it took it.
	typed(a *app, k tea.KeyPressMsg) (tea.Cmd, bool)
	// want is the size the dialog would like, its frame included.
	want(a *app) (w, h int)
	// draw paints the inside; title is painted into the frame by the app.
	draw(a *app, c paint.Canvas)
	title(a *app) string
}

func newApp(ctx context.Context, o Options) *app {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Glyphs == nil {
		o.Glyphs = themes.Unicode()
	}
	if len(o.Themes) == 0 {
		o.Themes = themes.Builtins()
	}
	a := &app{
		opt: o, now: o.Now, grid: paint.NewGrid(1, 1), page: onHome, home: newHome(), exit: exit{Left: Left{Leave: LeaveStop}, known: map[string]Session{}}, dirty: true,
		settings: defaultSettings(),
	}
	a.task = func(f func(context.Context) tea.Msg) tea.Cmd {
		return func() tea.Msg { return f(ctx) }
	}
	a.feed = a.waitFeed
	a.wake = func(d time.Duration) tea.Cmd { return tea.Tick(d, func(t time.Time) tea.Msg { return tickMsg(t) }) }
	a.hold = func(f *frames) time.Duration { return f.wait(a.now()) }
	a.acts = newActionTable(allActions())
	a.setGlyphs(glyphsAuto)
	a.setTheme(o.Theme)
	if o.Trouble != nil {
		a.fail("", o.Trouble)
	}
	return a
}

// Init implements tea.Model.
func (a *app) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, a.loadSettings(), a.loadList(), a.loadOffer(), a.loadFacts(), a.tick()}
	switch {
	case a.opt.Start != nil:
		cmds = append(cmds, a.startSearch(*a.opt.Start))
	case a.opt.Open != "":
		cmds = append(cmds, a.openSearch(a.opt.Open))
	}
	return tea.Batch(cmds...)
}

// Update implements tea.Model.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(frameMsg); ok {
		a.frames.due = false
		return a, a.scheduled(nil)
	}
	a.dirty = true
	a.frames.key = a.frames.key || !moves(msg)
	return a, a.scheduled(a.update(msg))
}

func (a *app) update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		a.w, a.h = m.Width, m.Height
		a.grid.Resize(m.Width, m.Height)
	case tea.BackgroundColorMsg:
		a.look.light = !m.IsDark()
		a.setTheme(a.look.name)
	case tea.ColorProfileMsg:
		a.setProfile(m.Profile)
	case tea.FocusMsg:
		a.blurred = false
	case tea.BlurMsg:
		a.blurred = true
	case tea.KeyPressMsg:
		return a.press(m)
	case tea.PasteMsg:
		a.paste(m.Content)
	case tea.MouseMsg:
		return a.mouse(m)
	case tickMsg:
		return a.ticked()
	default:
		return a.receive(msg)
	}
	return nil
}

// press sends a key to the topmost dialog, then to the table of actions.
func (a *app) press(k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	if key == "ctrl+c" {
		return a.askQuit()
	}
	if a.tooSmall() {
		if key == "q" {
			return a.askQuit()
		}
		return nil
	}
	if d := a.top(); d != nil {
		if cmd, taken := d.typed(a, k); taken {
			return cmd
		}
	} else if cmd, taken := a.pageTyped(k); taken {
		return cmd
	}
	if x, ok := a.acts.find(a.place(), key); ok {
		return a.perform(x)
	}
	return nil
}

// paste hands pasted text to whatever field is open, a rune at a time so that fields need no second way in.
func (a *app) paste(text string) {
	for _, r := range paint.Clean(text) {
		k := tea.KeyPressMsg{Text: string(r), Code: r}
		if d := a.top(); d != nil {
			d.typed(a, k)
		} else {
			a.pageTyped(k)
		}
	}
}

// place is where keys go at the moment.
func (a *app) place() place {
	if d := a.top(); d != nil {
		return d.place()
	}
	return a.pagePlace()
}

// pagePlace is where keys go when no dialog is open.
func (a *app) pagePlace() place {
	if a.s != nil && a.s.play != nil && (a.page == onSearch || a.page == onTrajectories) {
		return onPlay
	}
	return a.page
}

func (a *app) top() dialog {
	if n := len(a.dialogs); n > 0 {
		return a.dialogs[n-1]
	}
	return nil
}

func (a *app) push(d dialog) {
	if f, ok := d.(*form); ok {
		f.focusOn(f.focus)
	}
	a.dialogs = append(a.dialogs, d)
}

func (a *app) pop() {
	if n := len(a.dialogs); n > 0 {
		a.dialogs = a.dialogs[:n-1]
	}
}

// open goes to a page and remembers where from.
func (a *app) open(p place) {
	if p != a.page {
		a.back = append(a.back, a.page)
		a.page = p
	}
}

// goBack leaves a page for the one before it.
func (a *app) goBack() tea.Cmd {
	from := a.page
	a.page = onHome
	if n := len(a.back); n > 0 {
		a.page, a.back = a.back[n-1], a.back[:n-1]
	}
	if from == onSearch && a.page == onHome {
		cmd := a.saveScreen()
		a.home.coming = a.openID()
		a.closeSearch()
		return tea.Batch(cmd, a.loadList())
	}
	return nil
}

func (a *app) tooSmall() bool { return a.w < minCols || a.h < minRows }

// View implements tea.Model. It paints only when something has changed since the last time, and as often as frames allow.
func (a *app) View() tea.View {
	if a.dirty && a.w > 0 && a.hold(&a.frames) == 0 {
		a.paint()
		a.frame = a.grid.Render(a.look.pal)
		a.dirty = false
		a.frames.painted(a.now())
	}
	v := tea.NewView(a.frame)
	v.AltScreen = true
	v.ReportFocus = true
	v.WindowTitle = a.windowTitle()
	if a.settings.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
		if a.page == onSearch && a.s != nil && a.s.pane.tab == tabCurves {
			v.MouseMode = tea.MouseModeAllMotion // values under the pointer
		}
	}
	return v
}

func (a *app) windowTitle() string {
	if a.s == nil {
		return "llmzero"
	}
	t := "llmzero " + paint.Clean(a.s.t.Spec.Task)
	if n := len(a.s.ix.waiting); n > 0 {
		t += " (" + plural(n, "proposal") + " waiting)"
	}
	return t
}

func (a *app) paint() {
	a.grid.Clear(paint.Style{})
	c := a.grid.Canvas()
	if a.tooSmall() {
		a.paintTooSmall(c)
		return
	}
	switch a.page {
	case onSearch:
		a.drawSearch(c)
	case onTrajectories:
		a.drawTrajectories(c)
	case onCompare:
		a.drawCompare(c)
	case onAgent:
		a.drawAgent(c)
	case onSettings:
		a.drawSettings(c)
	default:
		a.drawHome(c)
	}
	for i, d := range a.dialogs {
		a.drawDialog(c, d, i == len(a.dialogs)-1)
	}
	a.drawToast(c)
}

func (a *app) paintTooSmall(c paint.Canvas) {
	text := []string{"llmzero needs 60 × 20 cells", "this terminal has " + num(a.w) + " × " + num(a.h)}
	for i, t := range text {
		c.Center(max(0, c.H()/2-1)+i, sText, t)
	}
}

// look is how everything looks.
type look struct {
	name    string // what was asked for
	light   bool   // the terminal's background is light
	profile colorprofile.Profile
	known   bool // the profile is known
	theme   themes.Theme
	pal     *paint.Palette
	glyphs  *themes.Glyphs
}

// setTheme takes a theme by name; an unknown one becomes a toast and the default.
func (a *app) setTheme(name string) {
	th, err := themes.Lookup(a.opt.Themes, name, !a.look.light)
	if err != nil {
		a.fail("theme", err)
		th = themes.Default(!a.look.light)
	}
	depth := themes.DepthFull
	if a.look.known {
		switch {
		case a.look.profile <= colorprofile.ASCII:
			depth = themes.DepthNone
		case a.look.profile == colorprofile.ANSI:
			depth = themes.Depth16
		}
	}
	a.look.name, a.look.theme = name, th.At(depth)
	a.look.pal = paint.NewPalette(a.look.theme)
}

// glyphsAuto is the set that the environment asks for.
const glyphsAuto = "auto"

// setGlyphs takes a set of signs by name.
func (a *app) setGlyphs(name string) {
	g := a.opt.Glyphs
	switch name {
	case "unicode":
		g = themes.Unicode()
	case "ascii":
		g = themes.ASCII()
	}
	a.look.glyphs, a.grid.ASCII = g, g.Name == "ascii"
}

func (a *app) setProfile(p colorprofile.Profile) {
	a.look.profile, a.look.known = p, true
	a.setTheme(a.look.name)
}

// close gives the search's subscription back after the program has ended.
func (a *app) close() {
	if a.s != nil && a.s.sub != nil {
		a.s.sub.Close()
	}
}

// newInput is a text field without a style of its own: the grid paints it.
func newInput(value string) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.SetVirtualCursor(false)
	in.CharLimit = 2000
	in.SetValue(strings.ReplaceAll(paint.Clean(value), "\n", " "))
	in.CursorEnd()
	in.Focus()
	return in
}
