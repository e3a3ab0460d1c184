package engine

import "strconv"

// shardName spells a shard in stream names.
func shardName(n int) string {
	s := strconv.Itoa(n)
	for len(s) < 3 {
		s = "0" + s
	}
	return s
}
