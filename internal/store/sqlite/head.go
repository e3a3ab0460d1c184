package sqlite

import "github.com/tendhq/tend/internal/entry"

// head is the end of a stream. A number of 0 means that the stream is not there yet.
type head struct {
	number int64
	length uint64
	hash   entry.Hash
}

// heads remembers the ends of the streams that were written last, so that most expectations are checked without asking
// the database. It holds between generation and 2×generation streams: when the young half is full, the old one goes.
type heads struct {
	young, old map[string]head
}

const generation = 8192

func (h *heads) clear() { h.young, h.old = map[string]head{}, nil }

func (h *heads) get(stream string) (head, bool) {
	if x, ok := h.young[stream]; ok {
		return x, true
	}
	x, ok := h.old[stream]
	return x, ok
}

func (h *heads) put(stream string, x head) {
	if len(h.young) >= generation {
		h.young, h.old = make(map[string]head, generation), h.young
	}
	h.young[stream] = x
}
