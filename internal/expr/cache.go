package expr

import (
	"container/list"
	"sync"
)

// cacheBytes bounds the sources in the cache: a compiled expression takes some ten times its source.
const cacheBytes = 8 << 20

// cache keeps compiled expressions, the least recently used go first.
type cache struct {
	mu      sync.Mutex
	entries int // bound
	bytes   int // in use
	order   *list.List
	byKey   map[cacheKey]*list.Element
}

type cacheKey struct {
	kind    Kind
	variant Dialect
	source  string
}

type cached struct {
	key      cacheKey
	compiled compiled
}

func newCache(entries int) *cache {
	return &cache{entries: entries, order: list.New(), byKey: make(map[cacheKey]*list.Element)}
}

// get answers what is kept under key, or makes it. Two callers may make the same at once; one is kept.
func (c *cache) get(key cacheKey, compile func() compiled) compiled {
	c.mu.Lock()
	if e, ok := c.byKey[key]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cached).compiled
	}
	c.mu.Unlock()

	made := compile()
	if len(key.source) > cacheBytes/8 {
		return made
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		return e.Value.(*cached).compiled
	}
	c.byKey[key] = c.order.PushFront(&cached{key, made})
	c.bytes += len(key.source)
	for len(c.byKey) > c.entries || c.bytes > cacheBytes {
		oldest := c.order.Back()
		k := c.order.Remove(oldest).(*cached).key
		delete(c.byKey, k)
		c.bytes -= len(k.source)
	}
	return made
}
