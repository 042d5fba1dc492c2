package store

import (
	"encoding/binary"
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// Names of buckets and keys, as drawn in the package comment.
var (
	bucketMeta     = []byte("meta")
	bucketIDs      = []byte("ids")
	bucketSearches = []byte("searches")
	bucketBlobs    = []byte("blobs")
	bucketScreen   = []byte("screen")

	bucketJournal     = []byte("journal")
	bucketNodes       = []byte("nodes")
	bucketPoints      = []byte("points")
	bucketSamples     = []byte("samples")
	bucketExchanges   = []byte("exchanges")
	bucketExchangeIDs = []byte("exchange-ids")

	keySchema  = []byte("schema")
	keyProgram = []byte("program")
	keySpec    = []byte("spec")
	keyHead    = []byte("head")
	keySummary = []byte("summary")
)

var (
	topBuckets    = [][]byte{bucketMeta, bucketIDs, bucketSearches, bucketBlobs, bucketScreen}
	searchBuckets = [][]byte{
		bucketJournal, bucketNodes, bucketPoints, bucketSamples, bucketExchanges, bucketExchangeIDs,
	}
)

// migration brings a file from the schema before it to its own.
type migration struct {
	name string
	run  func(tx *bolt.Tx) error
}

// migrations in order: the one at index i makes schema i+1. Never change one that was released; append.
var migrations = []migration{
	{name: "first layout", run: func(tx *bolt.Tx) error {
		for _, name := range topBuckets {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	}},
}

// Schema is the version of the layout that this package reads and writes.
func Schema() int { return len(migrations) }

// schemaOf reads a file's version: 0 for one without any bucket.
func schemaOf(tx *bolt.Tx) (int, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return 0, fmt.Errorf("%w: a bbolt file of another program, its first bucket is %q", ErrNotStore, k)
		}
		return 0, nil
	}
	v, err := strconv.Atoi(string(meta.Get(keySchema)))
	if err != nil || v < 1 {
		return 0, fmt.Errorf("%w: its schema version is %q", ErrNotStore, meta.Get(keySchema))
	}
	if v > len(migrations) {
		return v, fmt.Errorf("%w: %d, and this llmzero knows %d: use the newer llmzero", ErrNewerSchema, v, len(migrations))
	}
	for _, name := range topBuckets {
		if tx.Bucket(name) == nil {
			return v, fmt.Errorf("%w: the bucket %s is missing", ErrCorrupt, name)
		}
	}
	return v, nil
}

// migrate brings a file to the current schema, all steps in the one transaction.
func migrate(tx *bolt.Tx) error {
	from, err := schemaOf(tx)
	if err != nil {
		return err
	}
	for i := from; i < len(migrations); i++ {
		if err := migrations[i].run(tx); err != nil {
			return fmt.Errorf("migration to schema %d (%s): %w", i+1, migrations[i].name, err)
		}
	}
	if from == len(migrations) {
		return nil
	}
	return tx.Bucket(bucketMeta).Put(keySchema, strconv.AppendInt(nil, int64(len(migrations)), 10))
}

// keySize is the size of one number in a key.
const keySize = 8

// key concatenates numbers big-endian, so that keys sort as the numbers do.
func key(nums ...uint64) []byte {
	k := make([]byte, 0, keySize*len(nums))
	for _, n := range nums {
		k = binary.BigEndian.AppendUint64(k, n)
	}
	return k
}

// number reads the first number of a key.
func number(k []byte) (uint64, bool) {
	if len(k) < keySize {
		return 0, false
	}
	return binary.BigEndian.Uint64(k), true
}
