package gpu

// ring keeps the last cap(buf) values. The zero ring keeps none; make one with newRing.
type ring[T any] struct {
	buf  []T
	next int // where the next value goes once the buffer is full
}

func newRing[T any](capacity int) ring[T] { return ring[T]{buf: make([]T, 0, max(capacity, 1))} }

// push adds v and forgets the oldest value if the ring is full.
func (r *ring[T]) push(v T) {
	if len(r.buf) < cap(r.buf) {
		r.buf = append(r.buf, v)
		return
	}
	r.buf[r.next] = v
	r.next = (r.next + 1) % len(r.buf)
}

// values copies what the ring holds, oldest first.
func (r *ring[T]) values() []T {
	out := make([]T, 0, len(r.buf))
	out = append(out, r.buf[r.next:]...)
	return append(out, r.buf[:r.next]...)
}
