package themes

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Builtins returns the built-in themes, dark and light in turn, our own first. The slice is the caller's.
func Builtins() []Theme { return slices.Clone(builtins()) }

// builtins are made once: deriving and adjusting takes a few milliseconds that --help should not pay.
var builtins = sync.OnceValue(func() []Theme {
	var out []Theme
	for _, s := range specs {
		p := Palette{}
		for t, h := range s.colors {
			p[t] = hex(h)
		}
		th, err := New(s.name, s.title, s.dark, p)
		if err != nil {
			panic("themes: built-in " + err.Error())
		}
		out = append(out, th)
	}
	return out
})

// Default is our own dark or light theme.
func Default(dark bool) Theme {
	if dark {
		return builtins()[0]
	}
	return builtins()[1]
}

// Lookup finds the theme that --theme names among all (usually Builtins plus LoadDir's): "auto" and "" choose by dark,
// "dark" and "light" are our own. The error lists the names there are.
func Lookup(all []Theme, name string, dark bool) (Theme, error) {
	want := strings.ToLower(strings.TrimSpace(name))
	// A user theme of the same name comes later and wins.
	for _, th := range slices.Backward(all) {
		if strings.ToLower(th.Name) == want {
			return th, nil
		}
	}
	switch want {
	case "", "auto":
		return Default(dark), nil
	case "dark":
		return Default(true), nil
	case "light":
		return Default(false), nil
	}
	return Theme{}, fmt.Errorf("no theme is called %q; there are auto, dark, light, %s", name, strings.Join(Names(all), ", "))
}

// Names lists the names of themes in their order, without repeats.
func Names(all []Theme) []string {
	var out []string
	for _, th := range all {
		if !slices.Contains(out, th.Name) {
			out = append(out, th.Name)
		}
	}
	return out
}

// spec is a built-in theme as its palette's author published it.
type spec struct {
	name, title string
	dark        bool
	colors      map[Token]string
}

var specs = []spec{
	{"zero-dark", "Zero Dark", true, map[Token]string{
		Background: "#0f1216", Surface: "#13171c", Overlay: "#191e25", SelectionBg: "#1f2a36", AccentBg: "#6cb6ff",
		Border: "#37414c", BorderFocus: "#6cb6ff", Track: "#2c343d", Grid: "#323b45",
		Text: "#d7dde4", Muted: "#9aa5b1", Faint: "#7e8995", Title: "#eef2f6", SelectionFg: "#f4f8fc", OnAccent: "#0b1016",
		Accent: "#6cb6ff", Best: "#f2c94c", Gain: "#57d9a3", Loss: "#ff7b72", Waiting: "#ffa657", Running: "#39c5cf",
		Done: "#8fbfa6", Warning: "#e3b341", Error: "#ff6a69", Info: "#8ab8e6",
		Capacity: "#4e9cf5", Regularization: "#d2b0ff", Other: "#a3aeb9",
		Series1: "#6cb6ff", Series2: "#f2c94c", Series3: "#d8bcff", Series4: "#57d9a3", Series5: "#ffa657", Series6: "#f778ba",
		HeatLow: "#3fb98f", HeatMid: "#e8c255", HeatHigh: "#ff6a55",
		ScoreLow: "#d9776f", ScoreMid: "#9aa5b1", ScoreHigh: "#57d9a3",
	}},
	{"zero-light", "Zero Light", false, map[Token]string{
		Background: "#fbfaf7", Surface: "#f6f4ef", Overlay: "#ffffff", SelectionBg: "#e2ecf7", AccentBg: "#1f6feb",
		Border: "#d6d2c8", BorderFocus: "#1f6feb", Track: "#e3dfd6", Grid: "#dedacf",
		Text: "#24292f", Muted: "#57606a", Faint: "#6a727b", Title: "#11161b", SelectionFg: "#0b1f38", OnAccent: "#ffffff",
		Accent: "#0f5fd0", Best: "#8a6100", Gain: "#1a7f4b", Loss: "#c2322d", Waiting: "#b35309", Running: "#0b7285",
		Done: "#3f7358", Warning: "#8d6200", Error: "#c4262e", Info: "#3a6ea5",
		Capacity: "#0a47a9", Regularization: "#9152d8", Other: "#5b646d",
		Series1: "#0a47a9", Series2: "#8a6100", Series3: "#9152d8", Series4: "#1a7f4b", Series5: "#b35309", Series6: "#b0307a",
		HeatLow: "#1a7f4b", HeatMid: "#8d6200", HeatHigh: "#c2322d",
		ScoreLow: "#c2322d", ScoreMid: "#6a727b", ScoreHigh: "#1a7f4b",
	}},
	{"catppuccin-mocha", "Catppuccin Mocha", true, map[Token]string{
		Background: "#1e1e2e", Surface: "#181825", Overlay: "#11111b", SelectionBg: "#313244", AccentBg: "#89b4fa",
		Border: "#45475a", BorderFocus: "#b4befe", Track: "#313244", Grid: "#45475a",
		Text: "#cdd6f4", Muted: "#a6adc8", Faint: "#7f849c", Title: "#cdd6f4", SelectionFg: "#cdd6f4", OnAccent: "#11111b",
		Accent: "#89b4fa", Best: "#f9e2af", Gain: "#a6e3a1", Loss: "#f38ba8", Waiting: "#fab387", Running: "#94e2d5",
		Done: "#a6e3a1", Warning: "#f9e2af", Error: "#f38ba8", Info: "#74c7ec",
		Capacity: "#89b4fa", Regularization: "#cba6f7", Other: "#9399b2",
		Series1: "#89b4fa", Series2: "#f9e2af", Series3: "#cba6f7", Series4: "#a6e3a1", Series5: "#fab387", Series6: "#f5c2e7",
	}},
	{"catppuccin-latte", "Catppuccin Latte", false, map[Token]string{
		Background: "#eff1f5", Surface: "#eff1f5", Overlay: "#e6e9ef", SelectionBg: "#dce0e8", AccentBg: "#1e66f5",
		Border: "#bcc0cc", BorderFocus: "#7287fd", Track: "#ccd0da", Grid: "#bcc0cc",
		Text: "#4c4f69", Muted: "#5c5f77", Faint: "#6c6f85", Title: "#4c4f69", SelectionFg: "#4c4f69", OnAccent: "#eff1f5",
		Accent: "#1e66f5", Best: "#df8e1d", Gain: "#40a02b", Loss: "#d20f39", Waiting: "#fe640b", Running: "#179299",
		Done: "#40a02b", Warning: "#df8e1d", Error: "#d20f39", Info: "#209fb5",
		Capacity: "#1e66f5", Regularization: "#8839ef", Other: "#7c7f93",
		Series1: "#1e66f5", Series2: "#df8e1d", Series3: "#8839ef", Series4: "#40a02b", Series5: "#fe640b", Series6: "#ea76cb",
	}},
	{"gruvbox-dark", "Gruvbox Dark", true, map[Token]string{
		Background: "#282828", Surface: "#1d2021", Overlay: "#32302f", SelectionBg: "#3c3836", AccentBg: "#83a598",
		Border: "#504945", BorderFocus: "#83a598", Track: "#3c3836", Grid: "#504945",
		Text: "#ebdbb2", Muted: "#bdae93", Faint: "#928374", Title: "#fbf1c7", SelectionFg: "#fbf1c7", OnAccent: "#1d2021",
		Accent: "#83a598", Best: "#fabd2f", Gain: "#b8bb26", Loss: "#fb4934", Waiting: "#fe8019", Running: "#8ec07c",
		Done: "#8ec07c", Warning: "#fabd2f", Error: "#fb4934", Info: "#83a598",
		Capacity: "#83a598", Regularization: "#d3869b", Other: "#a89984",
		Series1: "#83a598", Series2: "#fabd2f", Series3: "#d3869b", Series4: "#b8bb26", Series5: "#fe8019", Series6: "#fb4934",
	}},
	{"solarized-light", "Solarized Light", false, map[Token]string{
		Background: "#fdf6e3", Surface: "#f8f1dd", Overlay: "#fffbf0", SelectionBg: "#eee8d5", AccentBg: "#1f6fa8",
		Border: "#d9d2bd", BorderFocus: "#268bd2", Track: "#e4ddc8", Grid: "#ddd6c1",
		Text: "#073642", Muted: "#586e75", Faint: "#657b83", Title: "#002b36", SelectionFg: "#002b36", OnAccent: "#fdf6e3",
		Accent: "#268bd2", Best: "#b58900", Gain: "#859900", Loss: "#dc322f", Waiting: "#cb4b16", Running: "#2aa198",
		Done: "#859900", Warning: "#b58900", Error: "#dc322f", Info: "#268bd2",
		Capacity: "#268bd2", Regularization: "#6c71c4", Other: "#93a1a1",
		Series1: "#268bd2", Series2: "#b58900", Series3: "#6c71c4", Series4: "#859900", Series5: "#cb4b16", Series6: "#d33682",
	}},
	{"high-contrast", "High Contrast", true, map[Token]string{
		Background: "#000000", Surface: "#000000", Overlay: "#0a0a0a", SelectionBg: "#003a70", AccentBg: "#ffffff",
		Border: "#8c8c8c", BorderFocus: "#ffffff", Track: "#4d4d4d", Grid: "#6e6e6e",
		Text: "#ffffff", Muted: "#dedede", Faint: "#c4c4c4", Title: "#ffffff", SelectionFg: "#ffffff", OnAccent: "#000000",
		Accent: "#66d9ff", Best: "#ffe14d", Gain: "#5cff9d", Loss: "#ff9a8f", Waiting: "#ffb84d", Running: "#4dffff",
		Done: "#a5ffc6", Warning: "#ffe14d", Error: "#ff8f85", Info: "#a8d8ff",
		Capacity: "#7cc4ff", Regularization: "#dcb0ff", Other: "#dedede",
		Series1: "#66d9ff", Series2: "#ffe14d", Series3: "#dcb0ff", Series4: "#5cff9d", Series5: "#ffb84d", Series6: "#ff9ad5",
	}},
	{"high-contrast-light", "High Contrast Light", false, map[Token]string{
		Background: "#ffffff", Surface: "#ffffff", Overlay: "#ffffff", SelectionBg: "#d6e8ff", AccentBg: "#000000",
		Border: "#6b6b6b", BorderFocus: "#000000", Track: "#b3b3b3", Grid: "#9e9e9e",
		Text: "#000000", Muted: "#2b2b2b", Faint: "#3d3d3d", Title: "#000000", SelectionFg: "#000000", OnAccent: "#ffffff",
		Accent: "#003f9e", Best: "#5c4300", Gain: "#005229", Loss: "#8f0d0d", Waiting: "#7a3300", Running: "#004f59",
		Done: "#1c4a33", Warning: "#5c4300", Error: "#8f0014", Info: "#003f73",
		Capacity: "#003f9e", Regularization: "#570d99", Other: "#2b2b2b",
		Series1: "#003f9e", Series2: "#5c4300", Series3: "#570d99", Series4: "#005229", Series5: "#7a3300", Series6: "#85084f",
	}},
	// Okabe & Ito (2008), "Color Universal Design": eight colours that people with any common colour vision tell apart.
	// Gain and loss differ as blue and vermillion, never as green and red; lightness separates what hue cannot.
	{"okabe-ito-dark", "Okabe-Ito Dark", true, map[Token]string{
		Background: "#101418", Surface: "#141a1f", Overlay: "#1a2127", SelectionBg: "#1e2b38", AccentBg: "#56b4e9",
		Border: "#3a4651", BorderFocus: "#56b4e9", Track: "#2c363f", Grid: "#35404a",
		Text: "#e4e8ec", Muted: "#a9b3bc", Faint: "#87919b", Title: "#f5f7f9", SelectionFg: "#ffffff", OnAccent: "#0b1016",
		Accent: "#56b4e9", Best: "#f0e442", Gain: "#56b4e9", Loss: "#d55e00", Waiting: "#e69f00", Running: "#009e73",
		Done: "#8fd3ff", Warning: "#e69f00", Error: "#d55e00", Info: "#a9b3bc",
		Capacity: "#4a9fe0", Regularization: "#cc79a7", Other: "#a9b3bc",
		Series1: "#56b4e9", Series2: "#f0e442", Series3: "#cc79a7", Series4: "#009e73", Series5: "#e69f00", Series6: "#d55e00",
		HeatLow: "#0072b2", HeatMid: "#cc79a7", HeatHigh: "#f0e442",
		ScoreLow: "#d55e00", ScoreMid: "#a9b3bc", ScoreHigh: "#56b4e9",
	}},
	{"okabe-ito-light", "Okabe-Ito Light", false, map[Token]string{
		Background: "#ffffff", Surface: "#f7f7f5", Overlay: "#ffffff", SelectionBg: "#e3eef7", AccentBg: "#0072b2",
		Border: "#d3d3d0", BorderFocus: "#0072b2", Track: "#e2e2df", Grid: "#dadad7",
		Text: "#1d1f21", Muted: "#4f555b", Faint: "#676d73", Title: "#000000", SelectionFg: "#000000", OnAccent: "#ffffff",
		Accent: "#0072b2", Best: "#6b6000", Gain: "#0067a3", Loss: "#b04a00", Waiting: "#8f6200", Running: "#007a58",
		Done: "#005a8c", Warning: "#8f6200", Error: "#a83f00", Info: "#4f555b",
		Capacity: "#0067a3", Regularization: "#9c3f74", Other: "#4f555b",
		Series1: "#0072b2", Series2: "#6b6000", Series3: "#a54a80", Series4: "#007a58", Series5: "#8f6200", Series6: "#b04a00",
		HeatLow: "#0072b2", HeatMid: "#a54a80", HeatHigh: "#b04a00",
		ScoreLow: "#b04a00", ScoreMid: "#676d73", ScoreHigh: "#0067a3",
	}},
}
