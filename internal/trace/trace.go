// Package trace says where runs stand in traces (W3C Trace Context): which trace a run belongs to, and how the spans of the
// run, its steps and their attempts are called.
//
// Everything derives from ids, so that whoever tells of a run before, while and after it runs uses the same names, also
// after a restart, and telling twice tells the same.
package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Context is where something stands: the trace, the span that it belongs to, and whether somebody records it.
type Context struct {
	Trace   string // 32 hex digits
	Span    string // 16 hex digits; "": none
	Sampled bool
}

// Parse reads a traceparent. What is none is as good as none.
func Parse(header string) (Context, bool) {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || !lowerHex(parts[0], 2) || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 ||
		!lowerHex(parts[1], 32) || !lowerHex(parts[2], 16) || !lowerHex(parts[3], 2) ||
		strings.Trim(parts[1], "0") == "" || strings.Trim(parts[2], "0") == "" {
		return Context{}, false
	}
	flags, _ := strconv.ParseUint(parts[3], 16, 8) // they are hex digits
	return Context{Trace: parts[1], Span: parts[2], Sampled: flags&1 == 1}, true
}

func lowerHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// String is the traceparent that says so.
func (c Context) String() string {
	flags := "00"
	if c.Sampled {
		flags = "01"
	}
	return "00-" + c.Trace + "-" + c.Span + "-" + flags
}

// At is the same place in a trace, at another span.
func (c Context) At(span string) Context {
	c.Span = span
	return c
}

// Of gives the trace of a run and the span above it: those of the request that led to it, when that named some, else a
// trace of the outermost run's own. given is what the request said.
func Of(root, given string) Context {
	if c, ok := Parse(given); ok {
		return c
	}
	return Context{Trace: digest(16, "trace", root), Sampled: true}
}

// Run names the span of a run.
func Run(id string) string { return digest(8, "run", id) }

// Step names the span of a step instance.
func Step(run, path string) string { return digest(8, "step", run, path) }

// Attempt names the span of an attempt.
func Attempt(run, path string, number int) string {
	return digest(8, "attempt", run, path, strconv.Itoa(number))
}

// digest is never all zeros in practice, which would mean nothing.
func digest(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:n])
}
