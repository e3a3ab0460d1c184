package logic

import (
	"unicode/utf8"

	"cel.dev/cel-go/common"
)

// offsets turns CEL's places, which count characters, into bytes of the source.
type offsets struct {
	src   string
	ascii bool
}

func newOffsets(src string) offsets {
	for i := range len(src) {
		if src[i] >= utf8.RuneSelf {
			return offsets{src: src}
		}
	}
	return offsets{src: src, ascii: true}
}

// of answers the byte at which the n-th character stands.
func (o offsets) of(n int) int {
	if n < 0 {
		return -1
	}
	if o.ascii {
		return min(n, len(o.src))
	}
	for i := range o.src {
		if n == 0 {
			return i
		}
		n--
	}
	return len(o.src)
}

// at answers the byte of a line and column.
func (o offsets) at(l common.Location) int {
	if l.Line() < 1 {
		return -1
	}
	line, column := 1, 0
	for i, r := range o.src {
		if line == l.Line() && column >= l.Column() {
			return i
		}
		if column++; r == '\n' {
			line, column = line+1, 0
		}
	}
	return len(o.src)
}
