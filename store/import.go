package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Import reads what Export wrote and returns the search's name: its own, or a new one when that is taken. Everything is
// checked before the search is written, in one transaction: the journal must replay, the tree's invariants must hold, and every
// checkpoint that a node names must be in the stream with its digest. It returns ErrFormat for anything else.
func (s *Store) Import(ctx context.Context, r io.Reader) (string, error) {
	if err := s.writable(); err != nil {
		return "", fmt.Errorf("import: %w", err)
	}
	in := importer{store: s, blobs: map[[32]byte]bool{}}
	defer in.unmark()
	err := in.read(ctx, r)
	if err == nil {
		err = in.check()
	}
	if err == nil {
		err = in.write(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("import: %w", err)
	}
	return in.tree.Spec.ID, nil
}

// ImportFile reads what ExportFile wrote.
func (s *Store) ImportFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("import: %w", err)
	}
	id, err := s.Import(ctx, f)
	return id, errors.Join(err, f.Close())
}

// importer collects a stream. Blobs, which are most of it, go to the store as they come; until the search names them
// they are marked as in use.
type importer struct {
	store     *Store
	header    *header
	end       *trailer
	events    []event.Event
	points    []pointsRecord
	samples   []samplesRecord
	exchanges []tree.Exchange
	blobs     map[[32]byte]bool
	tree      *tree.Tree
}

// importing marks the blobs of imports in Store.saved; no search can have this name.
const importing = "\x00import"

func (in *importer) read(ctx context.Context, r io.Reader) error {
	d := json.NewDecoder(readerContext{ctx, r})
	for line := 1; ; line++ {
		var rec record
		err := d.Decode(&rec)
		switch {
		case errors.Is(err, io.EOF) && in.end != nil:
			return nil
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%w: it is cut off after %d records", ErrFormat, line-1)
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w: record %d: %w", ErrFormat, line, err)
		}
		if err := in.take(ctx, rec); err != nil {
			return fmt.Errorf("record %d: %w", line, err)
		}
	}
}

func (in *importer) take(ctx context.Context, rec record) error {
	if in.end != nil {
		return fmt.Errorf("%w: something follows its end", ErrFormat)
	}
	if in.header == nil && rec.Header == nil {
		return fmt.Errorf("%w: it does not begin with one", ErrFormat)
	}
	switch {
	case rec.Header != nil:
		if in.header != nil || rec.Header.Format != Format {
			return fmt.Errorf("%w: its format is %q", ErrFormat, printable(rec.Header.Format))
		}
		if rec.Header.Version != formatVersion {
			return fmt.Errorf("%w: it has version %d, and this llmzero reads %d", ErrFormat, rec.Header.Version, formatVersion)
		}
		in.header = rec.Header
	case rec.Event != nil:
		in.events = append(in.events, *rec.Event)
	case rec.Points != nil:
		in.points = append(in.points, *rec.Points)
	case rec.Samples != nil:
		in.samples = append(in.samples, *rec.Samples)
	case rec.Exchange != nil:
		in.exchanges = append(in.exchanges, *rec.Exchange)
	case rec.Blob != nil:
		return in.blob(ctx, *rec.Blob)
	case rec.End != nil:
		in.end = rec.End
	default:
		return fmt.Errorf("%w: an unknown record, perhaps of a newer llmzero", ErrFormat)
	}
	return nil
}

func (in *importer) blob(ctx context.Context, b blobRecord) error {
	d, err := digestOf(b.Ref)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if sha256.Sum256(b.Data) != d {
		return fmt.Errorf("%w: the content of blob %s has another digest", ErrFormat, b.Ref)
	}
	in.blobs[d] = true
	_, err = in.store.saveBlob(ctx, importing, b.Data)
	return err
}

// unmark lets go of the blobs: the search names them now, or a sweep may have them.
func (in *importer) unmark() {
	in.store.mu.Lock()
	defer in.store.mu.Unlock()
	for d := range in.blobs {
		delete(in.store.saved, use{d, importing})
	}
}

func (in *importer) check() error {
	if in.end.Events != len(in.events) || in.end.Blobs != len(in.blobs) {
		return fmt.Errorf("%w: it has %d entries and %d blobs, and its end says %d and %d",
			ErrFormat, len(in.events), len(in.blobs), in.end.Events, in.end.Blobs)
	}
	t, err := event.Replay(in.events)
	if err == nil {
		err = t.Check()
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrFormat, err)
	case t.Spec.ID != in.header.Search || !validID.MatchString(t.Spec.ID):
		return fmt.Errorf("%w: the search's name is %q", ErrFormat, printable(t.Spec.ID))
	}
	in.tree = t
	for _, ref := range blobRefs(t) {
		if d, err := digestOf(ref); err != nil || !in.blobs[d] {
			return fmt.Errorf("%w: the checkpoint %s is missing", ErrFormat, printable(ref))
		}
	}
	nodes := make([]tree.NodeID, 0, len(in.points)+len(in.samples)+len(in.exchanges))
	for _, p := range in.points {
		nodes = append(nodes, p.Node)
	}
	for _, p := range in.samples {
		nodes = append(nodes, p.Node)
	}
	for _, x := range in.exchanges {
		nodes = append(nodes, x.Node)
	}
	for _, id := range nodes {
		if _, ok := t.Node(id); !ok {
			return fmt.Errorf("%w: something belongs to node %d, which is not there", ErrFormat, id)
		}
	}
	return nil
}

// write commits the search, under a new name when its own is taken.
func (in *importer) write(ctx context.Context) error {
	return in.store.update(ctx, func(tx *bolt.Tx) error {
		id := in.tree.Spec.ID
		for tx.Bucket(bucketSearches).Bucket([]byte(id)) != nil {
			var err error
			if id, err = nextID(tx, baseName(strings.TrimRight(id, "0123456789"))); err != nil {
				return err
			}
		}
		in.rename(id)
		s := &Search{store: in.store, id: id}
		for _, p := range in.points {
			points := make([]tree.Point, len(p.Points))
			for i, r := range p.Points {
				points[i] = tree.Point{Step: r.Step, Tokens: r.Tokens, Values: make(map[string]float64, len(r.Values))}
				for name, v := range r.Values {
					points[i].Values[name] = float64(v)
				}
			}
			s.points.add(p.Node, points, in.store.now())
		}
		for _, p := range in.samples {
			s.samples.add(p.Node, p.Samples, in.store.now())
		}
		b, err := s.begin(tx, in.events)
		if err != nil {
			return err
		}
		if _, err := s.fold(b, in.tree, in.events); err != nil {
			return err
		}
		if err := s.flush(b, nil); err != nil {
			return err
		}
		return putExchanges(b, in.exchanges)
	})
}

func (in *importer) rename(id string) {
	in.tree.Spec.ID = id
	if created, ok := in.events[0].Body.(*event.Created); ok {
		created.Spec.ID = id
	}
}
