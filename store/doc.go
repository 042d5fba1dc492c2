// Package store keeps searches in one bbolt file.
//
// A [Store] is an open file; a [Search] is the handle of one search in it and satisfies engine.Record. What Append returned
// nil for is on disk (fsync) and survives kill -9 and a power cut, as far as the disk keeps its word.
//
// # Layout
//
//	meta/
//	    schema                 version of this layout, decimal
//	    program                version of llmzero that last wrote, for people
//	ids/
//	    <task>                 the last number given to a search of that task, decimal; numbers are never used again
//	searches/
//	    <id>/
//	        spec               tree.Spec
//	        head               tree.Tree without its specification and nodes
//	        summary            tree.Summary, for lists
//	        journal/           <seq>           entry: time, who, kind, body
//	        nodes/             <node>          tree.Node as a row (row.go)
//	        points/            <node><chunk>   a chunk of metric points, by column
//	        samples/           <node><chunk>   a chunk of samples
//	        exchanges/         <node><number>  tree.Exchange
//	        exchange-ids/      <exchange id>   its key in exchanges
//	blobs/
//	    <sha256>               the content of a checkpoint
//	screen/
//	    <key>                  what the screen remembers between runs, its own format
//
// <seq>, <node>, <chunk> and <number> are 8 bytes, big-endian, so that a cursor walks them in order. Values are CBOR (RFC
// 8949) with the field names of the JSON tags, so that a field more or less needs no migration; nodes alone are rows
// without names, for speed, with a version of their own. Times are UTC in nanoseconds. The schema version counts what does need one: migrations is the ordered list, run in one transaction when
// a file is opened to write. A file of a newer schema is refused with [ErrNewerSchema].
//
// # Two records of the same search
//
// The journal says what happened and is the truth; nodes, head and summary are its fold (package event's Apply),
// written in the same transaction, so that a tree opens without replaying. [Store.Check] replays every journal and
// compares; so a change of the fold that gives old entries another meaning needs a migration that writes the nodes anew.
// Metric points and samples are not in the journal: they are buffered for at most a second or 64 entries
// and committed with the next Append at the latest.
//
// # Blobs
//
// Content is kept once under its digest, whoever saves it. A blob lives as long as a node of any search names it; Remove
// and Compact sweep the others, except those saved since the file was opened, because the entry that will name them may be on its
// way. Nothing else deletes a blob. The digest is verified on every load.
//
// # Transactions
//
// No transaction outlives a call: values are decoded inside it and it is over when the method returns. A read transaction
// held open would make the file grow. bbolt has one writer at a time; writers of several searches queue.
//
// # Several processes
//
// A process that writes holds the file's lock for as long as it is open, and bbolt then refuses even readers. Open waits for
// Options.Timeout and answers [ErrLocked], naming the holder from the small file STORE.owner that a writer keeps beside the
// store. [OpenCopy] reads what the holder has committed: it copies the file until no commit fell into the copying, which with
// bbolt's copy-on-write pages makes the copy a consistent snapshot, checks the copy and opens it read-only. The copy does
// not follow what the holder writes later.
//
// # Size and time
//
// go test -bench . ./store measures them. On two idle cores of an AMD EPYC a search of 100,000 evaluated nodes (480 MB with its
// journal) opens in 0.35 s and its tree is read in 0.3 s, 2.8 KB of heap a node; with the file not in the page cache it takes
// 1.3 s together, most of it the disk's. An Append takes 0.1 ms beside what the disk takes to sync, 0.35 ms at 100,000 nodes.
//
// # Damage
//
// Damaged files give [ErrCorrupt] or [ErrNotStore], never a panic: bbolt asserts its invariants by panicking, which is caught at every
// transaction, and a file is walked once read-only before it is opened to write.
package store
