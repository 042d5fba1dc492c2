package llm

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Price is what a model's tokens cost.
type Price struct {
	Model string  `toml:"model"`     // a name or a pattern like "gpt-*" or "*"
	In    float64 `toml:"per_m_in"`  // for a million tokens of prompts
	Out   float64 `toml:"per_m_out"` // for a million tokens of answers
}

// Prices is the price table of the configuration; the first row that matches counts. What models without a row cost is
// not known; it is booked as nothing. There is no table built in: it would be wrong by next month.
type Prices []Price

// ParsePrices reads a table from TOML: [[price]] with model, per_m_in and per_m_out. Anything else is an error, since a
// misspelt price would count as nothing.
func ParsePrices(b []byte) (Prices, error) {
	var f struct {
		Price Prices `toml:"price"`
	}
	err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&f)
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		e := unknown.Errors[0]
		line, _ := e.Position()
		return nil, fmt.Errorf("price table, line %d: %q is not known; rows are [[price]] with model, per_m_in and per_m_out",
			line, strings.Join(e.Key(), "."))
	case err != nil:
		return nil, fmt.Errorf("price table: %w", err)
	case len(f.Price) == 0:
		return nil, errors.New("price table: it is empty; rows are [[price]] with model, per_m_in and per_m_out")
	}
	for _, p := range f.Price {
		if _, err := p.matches(""); err != nil || p.Model == "" {
			return nil, fmt.Errorf("price table: %q is no model name or pattern", p.Model)
		}
		if !(p.In >= 0) || !(p.Out >= 0) || p.In > 1e9 || p.Out > 1e9 {
			return nil, fmt.Errorf("price table: %s: prices are numbers from 0 on", p.Model)
		}
	}
	return f.Price, nil
}

// matches tells whether the row is about a model. Names have slashes, and * stands for them too.
func (p Price) matches(model string) (bool, error) {
	flat := strings.NewReplacer("/", "\x00")
	return path.Match(flat.Replace(p.Model), flat.Replace(model))
}

// Cost of a call in the table's currency; known is false when the table does not have the model.
func (ps Prices) Cost(model string, in, out int64) (cost float64, known bool) {
	for _, p := range ps {
		// ParsePrices has checked the pattern.
		if ok, err := p.matches(model); p.Model == model || err == nil && ok {
			return (p.In*float64(in) + p.Out*float64(out)) / 1e6, true
		}
	}
	return 0, false
}
