// Package output keeps what a program printed, within bounds, and reads it as data.
//
// What it keeps is all of stdout up to a bound, for the value, and the head and the tail of both streams, to be shown. What
// it refuses is to make a number or a document of nothing, or of a text that was cut.
package output

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

const (
	maxValue = 4 << 20
	maxShown = 64 << 10
	maxTail  = 2 << 10 // of stderr in a message
	maxLines = 100_000
)

// Capture keeps what one program prints. The zero Capture is ready; it is not safe for concurrent use.
type Capture struct {
	MaxValue int // bytes of stdout that can become a value; zero: 4 MiB
	MaxShown int // bytes of each stream that are shown; zero: 64 KiB

	whole  bytes.Buffer // stdout up to MaxValue
	cut    bool         // stdout was longer
	stdout ends
	stderr ends
}

// Write adds what was printed on a stream, "stdout" or "stderr".
func (c *Capture) Write(stream string, p []byte) {
	half := cmp.Or(c.MaxShown, maxShown) / 2
	if stream == "stderr" {
		c.stderr.write(p, half)
		return
	}
	c.stdout.write(p, half)
	room := cmp.Or(c.MaxValue, maxValue) - c.whole.Len()
	if len(p) > room {
		c.cut = true
		p = p[:max(room, 0)]
	}
	c.whole.Write(p)
}

// Output gives the outputs stdout, stderr and truncated.
func (c *Capture) Output() map[string]any {
	return map[string]any{"stdout": c.stdout.text(), "stderr": c.stderr.text(), "truncated": c.cut}
}

// Parse makes a value of stdout: text, json, lines, number or auto. The error has kind parse or limit.
func (c *Capture) Parse(how string) (any, error) {
	text := strings.TrimRight(utf8Text(c.whole.Bytes()), "\r\n")
	if c.cut && how != "text" && how != "auto" {
		return nil, fault.New(fault.Limit, "the program printed more than %s, which cannot be read as %s", size(cmp.Or(c.MaxValue, maxValue)), how)
	}
	trimmed := strings.TrimSpace(text)
	switch how {
	case "json":
		if trimmed == "" {
			return nil, fault.New(fault.Parse, "the program printed nothing where a JSON document was expected")
		}
		v, err := value.Parse([]byte(trimmed))
		if err != nil {
			return nil, fault.New(fault.Parse, "the output is not one JSON document: %s: %s", err, excerpt(trimmed))
		}
		return v, nil
	case "number":
		if trimmed == "" {
			return nil, fault.New(fault.Parse, "the program printed nothing where a number was expected")
		}
		return numeric(trimmed)
	case "lines":
		lines := []any{}
		for l := range strings.Lines(text) {
			l = strings.TrimRight(l, "\r\n")
			if strings.TrimSpace(l) == "" {
				continue
			}
			if len(lines) == maxLines {
				return nil, fault.New(fault.Limit, "the program printed more than %d lines", maxLines)
			}
			lines = append(lines, l)
		}
		return lines, nil
	case "auto":
		if !c.cut && json.Valid([]byte(trimmed)) {
			if v, err := value.Parse([]byte(trimmed)); err == nil {
				return v, nil
			}
		}
		return text, nil
	default:
		return text, nil
	}
}

func size(bytes int) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}

func numeric(s string) (any, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "_xXpP") {
		return nil, fault.New(fault.Parse, "the output is not a number: %s", excerpt(s))
	}
	v, err := value.Normalize(f)
	if err != nil {
		return nil, fault.New(fault.Parse, "the output is not a number: %s", excerpt(s))
	}
	return v, nil
}

func excerpt(s string) string {
	s = action.Clean(s)
	if r := []rune(s); len(r) > 80 {
		return strconv.Quote(string(r[:80])) + "…"
	}
	return strconv.Quote(s)
}

// Tail gives the end of stderr for a message, after a colon, or "".
func (c *Capture) Tail() string {
	t := c.stderr.last(maxTail)
	if i := strings.IndexByte(t, '\n'); i >= 0 && len(t) >= maxTail {
		t = t[i+1:] // from the first whole line on
	}
	t = strings.TrimSpace(action.Clean(t))
	if t == "" {
		return ""
	}
	return ": " + t
}

func utf8Text(b []byte) string { return strings.ToValidUTF8(string(b), string(utf8.RuneError)) }

// ends keeps the head and the tail of a stream.
type ends struct {
	head []byte
	ring []byte // what came last; starts at pos when it is full
	pos  int
	half int // bytes that each of them can hold
	size int64
}

func (e *ends) write(p []byte, half int) {
	e.half = half
	e.size += int64(len(p))
	if room := half - len(e.head); room > 0 {
		n := min(room, len(p))
		e.head = append(e.head, p[:n]...)
		p = p[n:]
	}
	if len(p) > half {
		p = p[len(p)-half:]
	}
	for len(p) > 0 {
		if len(e.ring) < half {
			n := min(half-len(e.ring), len(p))
			e.ring = append(e.ring, p[:n]...)
			p = p[n:]
			continue
		}
		n := copy(e.ring[e.pos:], p)
		e.pos = (e.pos + n) % half
		p = p[n:]
	}
}

func (e *ends) tailBytes() []byte {
	out := make([]byte, 0, len(e.ring))
	if len(e.ring) == e.half {
		out = append(out, e.ring[e.pos:]...)
		return append(out, e.ring[:e.pos]...)
	}
	return append(out, e.ring...)
}

func (e *ends) text() string {
	t := e.tailBytes()
	if left := e.size - int64(len(e.head)+len(t)); left > 0 {
		return utf8Text(e.head) + fmt.Sprintf("\n[… %d bytes left out …]\n", left) + utf8Text(t)
	}
	return utf8Text(append(e.head[:len(e.head):len(e.head)], t...))
}

func (e *ends) last(n int) string {
	all := append(e.head[:len(e.head):len(e.head)], e.tailBytes()...)
	return utf8Text(all[max(0, len(all)-n):])
}
