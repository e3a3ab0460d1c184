package engine

import (
	"sync"

	"github.com/tendhq/tend/internal/entry"
)

// cache keeps what was lately read from blobs as values: each iteration of a loop over a long list looks at the list. The
// zero value is empty. Values in it are never changed.
type cache struct {
	mu    sync.Mutex
	items []cached // the one that was used last comes last
	size  int64
}

type cached struct {
	group string
	ref   entry.Ref
	value any
}

// cacheLimit bounds the bytes of blobs whose values are kept. A larger one is kept alone.
const cacheLimit = 16 << 20

// get gives the value of a blob, by load unless it is known.
func (c *cache) get(group string, ref entry.Ref, load func() (any, error)) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, it := range c.items {
		if it.ref == ref && it.group == group {
			copy(c.items[i:], c.items[i+1:])
			c.items[len(c.items)-1] = it
			return it.value, nil
		}
	}
	v, err := load()
	if err != nil {
		return nil, err
	}
	c.items = append(c.items, cached{group, ref, v})
	for c.size += ref.Size; c.size > cacheLimit && len(c.items) > 1; {
		c.size -= c.items[0].ref.Size
		c.items[0] = cached{}
		c.items = c.items[1:]
	}
	return v, nil
}

// clear forgets everything: something was erased.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items, c.size = nil, 0
}
