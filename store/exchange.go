package store

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

// AllNodes asks Exchanges for those of every node.
const AllNodes tree.NodeID = -1

func putExchanges(b *bolt.Bucket, exchanges []tree.Exchange) error {
	rows, ids := b.Bucket(bucketExchanges), b.Bucket(bucketExchangeIDs)
	for _, x := range exchanges {
		if x.ID == "" {
			return fmt.Errorf("an exchange of node %d has no id", x.Node)
		}
		v, err := enc.Marshal(x)
		if err != nil {
			return fmt.Errorf("exchange %s: %w", x.ID, err)
		}
		k := ids.Get([]byte(x.ID)) // said again: the last word counts
		if k == nil {
			n, err := rows.NextSequence()
			if err != nil {
				return err
			}
			k = key(uint64(x.Node), n)
			if err := ids.Put([]byte(x.ID), k); err != nil {
				return err
			}
		}
		if err := rows.Put(k, v); err != nil {
			return err
		}
	}
	return nil
}

// Exchanges reads the agent's exchanges about a node, or with AllNodes all of the search, by node and then in the order in which they
// came.
func (s *Search) Exchanges(ctx context.Context, node tree.NodeID) ([]tree.Exchange, error) {
	var out []tree.Exchange
	read := func(_, v []byte) error {
		var x tree.Exchange
		err := decode(v, &x, "an exchange")
		out = append(out, x)
		return err
	}
	err := s.store.view(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		switch {
		case err != nil:
			return err
		case node == AllNodes:
			return b.Bucket(bucketExchanges).ForEach(read)
		default:
			return eachOf(b.Bucket(bucketExchanges), node, read)
		}
	})
	if err != nil {
		return nil, s.wrap("read exchanges", err)
	}
	return out, nil
}

// Exchange reads one exchange by its id; ErrNotFound when there is none.
func (s *Search) Exchange(ctx context.Context, id string) (tree.Exchange, error) {
	var x tree.Exchange
	err := s.store.view(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if err != nil {
			return err
		}
		k := b.Bucket(bucketExchangeIDs).Get([]byte(id))
		if k == nil {
			return ErrNotFound
		}
		return decode(b.Bucket(bucketExchanges).Get(k), &x, "an exchange")
	})
	return x, s.wrap("exchange "+printable(id), err)
}
