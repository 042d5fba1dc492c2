package tree

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Value is a parameter's value: a number, or the name of a choice when Text is not empty. Values are comparable with ==.
type Value struct {
	Num  float64
	Text string
}

// Number makes a numeric value.
func Number(f float64) Value { return Value{Num: f} }

// Choice makes the value of a choice parameter.
func Choice(name string) Value { return Value{Text: name} }

// IsText tells whether the value is the name of a choice.
func (v Value) IsText() bool { return v.Text != "" }

// Int is the value rounded to the nearest integer.
func (v Value) Int() int { return int(math.Round(v.Num)) }

// String is the shortest text that reads back as the same value.
func (v Value) String() string {
	if v.IsText() {
		return v.Text
	}
	if a := math.Abs(v.Num); v.Num == math.Trunc(v.Num) && a < 1e15 {
		return strconv.FormatFloat(v.Num, 'f', -1, 64)
	}
	return strconv.FormatFloat(v.Num, 'g', -1, 64)
}

// MarshalJSON writes a JSON number or string. NaN and infinities are errors.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.IsText() {
		return json.Marshal(v.Text)
	}
	return json.Marshal(v.Num)
}

// UnmarshalJSON reads a JSON number or non-empty string.
func (v *Value) UnmarshalJSON(b []byte) error {
	var any any
	if err := json.Unmarshal(b, &any); err != nil {
		return fmt.Errorf("parameter value: %w", err)
	}
	switch x := any.(type) {
	case float64:
		*v = Number(x)
	case string:
		if x == "" {
			return fmt.Errorf("parameter value is an empty string: want a number or the name of a choice")
		}
		*v = Choice(x)
	default:
		return fmt.Errorf("parameter value %s: want a number or the name of a choice", b)
	}
	return nil
}
