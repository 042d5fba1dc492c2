package search

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Options configure a policy. The zero value takes the defaults, which stand behind each field.
type Options struct {
	Exploration   float64 // uct: c of the exploration term (1.414)
	FailureWeight float64 // uct: weight of the failure penalty (0.5)
	FailureOffset int     // uct: failures that are forgiven (2)
	RootChildren  int     // children of the root before a policy descends (3)
	Children      int     // children of any other node (2)
	Widening      float64 // a node may have visits^Widening children when that is more (1/3); negative: never
	Patience      int     // greedy-branch: expansions without an improvement before it branches (3)
	Width         int     // beam: nodes kept at each depth (3)
	Raw           bool    // compare validation scores as they are, not at equal spending and within noise
}

func (o Options) withDefaults() Options {
	def := func(f *float64, d float64) {
		if *f == 0 {
			*f = d
		}
	}
	whole := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	def(&o.Exploration, 1.414)
	def(&o.FailureWeight, 0.5)
	whole(&o.FailureOffset, 2)
	whole(&o.RootChildren, 3)
	whole(&o.Children, 2)
	def(&o.Widening, 1.0/3)
	whole(&o.Patience, 3)
	whole(&o.Width, 3)
	return o
}

// read overrides options by a text such as "exploration=0.35,children=3". A number below 0 is refused, but for widening.
func (o Options) read(text string) (Options, error) {
	if text == "" {
		return o, nil
	}
	numbers := map[string]*float64{"exploration": &o.Exploration, "failure-weight": &o.FailureWeight, "widening": &o.Widening}
	wholes := map[string]*int{
		"failure-offset": &o.FailureOffset, "root-children": &o.RootChildren, "children": &o.Children, "patience": &o.Patience, "width": &o.Width,
	}
	for _, part := range strings.Split(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		f, ferr := strconv.ParseFloat(value, 64)
		n, nerr := strconv.Atoi(value)
		switch {
		case key == "raw":
			raw, err := strconv.ParseBool(value)
			if err != nil {
				return o, fmt.Errorf("option raw=%q: want true or false", value)
			}
			o.Raw = raw
		case numbers[key] != nil:
			if ferr != nil || math.IsNaN(f) || math.IsInf(f, 0) || (f <= 0 && key != "widening") {
				return o, fmt.Errorf("option %s=%q: want a number above 0", key, value)
			}
			*numbers[key] = f
		case wholes[key] != nil:
			if nerr != nil || n < 1 {
				return o, fmt.Errorf("option %s=%q: want a whole number from 1", key, value)
			}
			*wholes[key] = n
		default:
			known := slices.Sorted(maps.Keys(wholes))
			known = slices.Concat(slices.Sorted(maps.Keys(numbers)), known, []string{"raw"})
			return o, fmt.Errorf("no option %q; there are %s", key, strings.Join(known, ", "))
		}
	}
	return o, nil
}
