package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// The export format: JSON values, one a line, each an object with one field that says what it is.
//
//	{"llmzero": {"format": "llmzero-search", "version": 1, "search": ID}}      first
//	{"event": {...}}                                                            the journal, in order
//	{"points": {"node": N, "points": [...]}}                                    numbers that JSON lacks as "NaN", "+Inf", "-Inf"
//	{"samples": {"node": N, "samples": [...]}}
//	{"exchange": {...}}
//	{"blob": {"ref": "sha256:...", "data": BASE64}}                             every checkpoint that a node names
//	{"end": {"events": N, "blobs": N}}                                          last: without it the export was cut off
//
// Text that is not UTF-8, which an untrained model may write, is repaired with U+FFFD: JSON has no place for it.
const (
	// Format is the name of the export format.
	Format        = "llmzero-search"
	formatVersion = 1
)

// record is one line; exactly one field is set.
type record struct {
	Header   *header        `json:"llmzero,omitempty"`
	Event    *event.Event   `json:"event,omitempty"`
	Points   *pointsRecord  `json:"points,omitempty"`
	Samples  *samplesRecord `json:"samples,omitempty"`
	Exchange *tree.Exchange `json:"exchange,omitempty"`
	Blob     *blobRecord    `json:"blob,omitempty"`
	End      *trailer       `json:"end,omitempty"`
}

type header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Search  string `json:"search"`
	Program string `json:"program,omitempty"`
}

type pointsRecord struct {
	Node   tree.NodeID   `json:"node"`
	Points []pointRecord `json:"points"`
}

type pointRecord struct {
	Step   int                   `json:"step"`
	Tokens int64                 `json:"tokens"`
	Values map[string]looseFloat `json:"values"`
}

type samplesRecord struct {
	Node    tree.NodeID   `json:"node"`
	Samples []tree.Sample `json:"samples"`
}

type blobRecord struct {
	Ref  string `json:"ref"`
	Data []byte `json:"data"`
}

type trailer struct {
	Events int `json:"events"`
	Blobs  int `json:"blobs"`
}

// looseFloat is a float that may be what JSON has no number for.
type looseFloat float64

func (f looseFloat) MarshalJSON() ([]byte, error) {
	x := float64(f)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return json.Marshal(strconv.FormatFloat(x, 'g', -1, 64))
	}
	return json.Marshal(x)
}

func (f *looseFloat) UnmarshalJSON(b []byte) error {
	var x float64
	if err := json.Unmarshal(b, &x); err == nil {
		*f = looseFloat(x)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	switch s {
	case "NaN", "+Inf", "-Inf":
		x, err := strconv.ParseFloat(s, 64)
		*f = looseFloat(x)
		return err
	}
	return fmt.Errorf("%q is no number", s)
}

// ExportFile writes a search to a new file, ID.llmzero in the working folder when path is empty, and returns its name. It
// never overwrites a file.
func (s *Store) ExportFile(ctx context.Context, id, path string) (string, error) {
	if path == "" {
		path = id + ".llmzero"
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("export %s: %w; nothing is overwritten: choose another name", printable(id), err)
	}
	if err != nil {
		return "", fmt.Errorf("export %s: %w", printable(id), err)
	}
	if err = errors.Join(s.Export(ctx, id, f), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path)) // half an export is none
	}
	return path, nil
}

// Export writes a whole search, checkpoints included, as a stream that Import reads. A search that goes on meanwhile is
// written as it stood when Export began.
func (s *Store) Export(ctx context.Context, id string, w io.Writer) error {
	h, err := s.Search(id)
	if err != nil {
		return err
	}
	if err := h.export(ctx, json.NewEncoder(w)); err != nil {
		return fmt.Errorf("export search %s: %w", id, err)
	}
	return nil
}

// export reads piece by piece, so that no transaction waits for a slow writer.
func (s *Search) export(ctx context.Context, out *json.Encoder) error {
	if err := out.Encode(record{Header: &header{
		Format: Format, Version: formatVersion, Search: s.id, Program: s.store.opts.Program,
	}}); err != nil {
		return err
	}
	events, err := s.Events(ctx, 0)
	if err != nil {
		return err
	}
	for i := range events {
		if err := out.Encode(record{Event: &events[i]}); err != nil {
			return err
		}
	}
	t, err := event.Replay(events)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	for _, n := range t.Nodes {
		if err := s.exportNode(ctx, n.ID, out); err != nil {
			return err
		}
	}
	blobs, err := s.exportBlobs(ctx, t, out)
	if err != nil {
		return err
	}
	return out.Encode(record{End: &trailer{Events: len(events), Blobs: blobs}})
}

func (s *Search) exportNode(ctx context.Context, id tree.NodeID, out *json.Encoder) error {
	points, err := s.Points(ctx, id)
	if err != nil {
		return err
	}
	if len(points) > 0 {
		r := pointsRecord{Node: id, Points: make([]pointRecord, len(points))}
		for i, p := range points {
			r.Points[i] = pointRecord{Step: p.Step, Tokens: p.Tokens, Values: make(map[string]looseFloat, len(p.Values))}
			for name, v := range p.Values {
				r.Points[i].Values[name] = looseFloat(v)
			}
		}
		if err := out.Encode(record{Points: &r}); err != nil {
			return err
		}
	}
	samples, err := s.Samples(ctx, id)
	if err != nil {
		return err
	}
	if len(samples) > 0 {
		if err := out.Encode(record{Samples: &samplesRecord{Node: id, Samples: samples}}); err != nil {
			return err
		}
	}
	exchanges, err := s.Exchanges(ctx, id)
	if err != nil {
		return err
	}
	for i := range exchanges {
		if err := out.Encode(record{Exchange: &exchanges[i]}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Search) exportBlobs(ctx context.Context, t *tree.Tree, out *json.Encoder) (int, error) {
	refs := blobRefs(t)
	for _, ref := range refs {
		data, err := s.LoadBlob(ctx, ref)
		if err != nil {
			return 0, err
		}
		if err := out.Encode(record{Blob: &blobRecord{Ref: ref, Data: data}}); err != nil {
			return 0, err
		}
	}
	return len(refs), nil
}

// blobRefs lists the blobs that a tree's nodes name, each once, sorted.
func blobRefs(t *tree.Tree) []string {
	var refs []string
	for _, n := range t.Nodes {
		if n.Outcome == nil {
			continue
		}
		for _, c := range n.Outcome.Checkpoints {
			if strings.HasPrefix(c.Ref, refPrefix) {
				refs = append(refs, c.Ref)
			}
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
