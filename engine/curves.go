package engine

import (
	"context"
	"fmt"
	"sync"

	"llmzero/engine/tree"
)

// cachedCurves is how many nodes' metric points are kept in memory.
const cachedCurves = 64

// curves are the metric points of recent segments, read back from the history when they are not in memory. It is safe for
// concurrent use.
type curves struct {
	history History

	mu    sync.Mutex
	of    map[tree.NodeID][]tree.Point
	order []tree.NodeID // oldest first
}

func newCurves(h History) *curves { return &curves{history: h, of: map[tree.NodeID][]tree.Point{}} }

// put keeps the points of a segment; the caller no longer changes them.
func (c *curves) put(id tree.NodeID, points []tree.Point) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.of[id]; !ok {
		c.order = append(c.order, id)
	}
	c.of[id] = points
	if c.history != nil && len(c.order) > cachedCurves {
		delete(c.of, c.order[0])
		c.order = c.order[1:]
	}
}

// load returns the points of a node's segment, nil when there are none.
func (c *curves) load(ctx context.Context, id tree.NodeID) ([]tree.Point, error) {
	c.mu.Lock()
	points, ok := c.of[id]
	c.mu.Unlock()
	if ok || c.history == nil {
		return points, nil
	}
	points, err := c.history.Points(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of node %d: %w", id, err)
	}
	c.put(id, points)
	return points, nil
}
