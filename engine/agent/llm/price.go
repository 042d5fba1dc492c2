package llm

import (
	"fmt"
	"path"

	"github.com/pelletier/go-toml/v2"
)

// Price is what a model's tokens cost.
type Price struct {
	Model string  `toml:"model"`     // a name or a pattern like "gpt-*"
	In    float64 `toml:"per_m_in"`  // for a million tokens of prompts
	Out   float64 `toml:"per_m_out"` // for a million tokens of answers
}

// Prices is the price table of the configuration; the first row that matches counts. Models without a row, such as local
// ones, cost nothing. There is no table built in: it would be wrong by next month.
type Prices []Price

// ParsePrices reads a table from TOML: [[price]] with model, per_m_in and per_m_out.
func ParsePrices(b []byte) (Prices, error) {
	var f struct {
		Price Prices `toml:"price"`
	}
	if err := toml.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("price table: %w", err)
	}
	for _, p := range f.Price {
		if _, err := path.Match(p.Model, ""); err != nil || p.Model == "" {
			return nil, fmt.Errorf("price table: %q is no model name or pattern", p.Model)
		}
		if !(p.In >= 0) || !(p.Out >= 0) || p.In > 1e9 || p.Out > 1e9 {
			return nil, fmt.Errorf("price table: %s: prices are numbers from 0 on", p.Model)
		}
	}
	return f.Price, nil
}

// Cost of a call in the table's currency.
func (ps Prices) Cost(model string, in, out int64) float64 {
	for _, p := range ps {
		// ParsePrices has checked the pattern.
		if ok, err := path.Match(p.Model, model); p.Model == model || err == nil && ok {
			return (p.In*float64(in) + p.Out*float64(out)) / 1e6
		}
	}
	return 0
}
