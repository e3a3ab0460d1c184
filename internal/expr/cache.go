package expr

import "sync"

// cacheBytes bounds the sources in the cache: a compiled expression takes some ten times its source.
const cacheBytes = 8 << 20

// cache keeps compiled expressions, the least recently used go first.
type cache struct {
	mu      sync.Mutex
	entries int // bound
	bytes   int // in use
	byKey   map[cacheKey]*cached
	ring    cached // the most recently used follows it, the least recently used stands before it
}

type cacheKey struct {
	kind    Kind
	variant Dialect
	source  string
}

type cached struct {
	key          cacheKey
	compiled     compiled
	before, next *cached
}

func newCache(entries int) *cache {
	c := &cache{entries: entries, byKey: make(map[cacheKey]*cached)}
	c.ring.before, c.ring.next = &c.ring, &c.ring
	return c
}

func (e *cached) unlink() {
	e.before.next, e.next.before = e.next, e.before
}

func (c *cache) link(e *cached) {
	e.before, e.next = &c.ring, c.ring.next
	e.before.next, e.next.before = e, e
}

// find answers what is kept under key, and marks it as used.
func (c *cache) find(key cacheKey) (compiled, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return compiled{}, false
	}
	e.unlink()
	c.link(e)
	return e.compiled, true
}

// get answers what is kept under key, or makes it. Two callers may make the same at once; one is kept.
func (c *cache) get(key cacheKey, compile func() compiled) compiled {
	if kept, ok := c.find(key); ok {
		return kept
	}
	made := compile()
	if len(key.source) > cacheBytes/8 {
		return made
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		return e.compiled
	}
	e := &cached{key: key, compiled: made}
	c.byKey[key] = e
	c.link(e)
	c.bytes += len(key.source)
	for len(c.byKey) > c.entries || c.bytes > cacheBytes {
		oldest := c.ring.before
		oldest.unlink()
		delete(c.byKey, oldest.key)
		c.bytes -= len(oldest.key.source)
	}
	return made
}
