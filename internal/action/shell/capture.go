package shell

import (
	"bytes"
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
	maxValue = 4 << 20  // of stdout that becomes a value
	maxShown = 64 << 10 // of each stream in the output, head and tail
	maxTail  = 2 << 10  // of stderr in a message
	maxLines = 100_000
)

// capture keeps what the program prints, within bounds.
type capture struct {
	whole  bytes.Buffer // stdout up to maxValue
	cut    bool         // stdout was longer
	stdout ends
	stderr ends
}

func (c *capture) write(stream string, p []byte) {
	if stream == "stderr" {
		c.stderr.write(p)
		return
	}
	c.stdout.write(p)
	room := maxValue - c.whole.Len()
	if len(p) > room {
		c.cut = true
		p = p[:max(room, 0)]
	}
	c.whole.Write(p)
}

func (c *capture) output() map[string]any {
	return map[string]any{"stdout": c.stdout.text(), "stderr": c.stderr.text(), "truncated": c.cut}
}

// parse makes a value of stdout. The error has kind parse or limit.
func (c *capture) parse(how string) (any, error) {
	return Parse(utf8Text(c.whole.Bytes()), c.cut, how)
}

// Parse makes a value of what a program printed, as the input `parse` says how. Cut tells that it printed more than
// stdout. The error has kind parse or limit.
func Parse(stdout string, cut bool, how string) (any, error) {
	text := strings.TrimRight(stdout, "\r\n")
	if cut && how != "text" && how != "auto" {
		return nil, fault.New(fault.Limit, "the program printed more than %d MiB, which cannot be read as %s", maxValue>>20, how)
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
		if !cut && json.Valid([]byte(trimmed)) {
			if v, err := value.Parse([]byte(trimmed)); err == nil {
				return v, nil
			}
		}
		return text, nil
	default:
		return text, nil
	}
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

// tail gives the end of stderr for a message, or "".
func (c *capture) tail() string {
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
	ring []byte // the last maxShown/2 bytes after the head; starts at pos when full
	pos  int
	size int64
}

const half = maxShown / 2

func (e *ends) write(p []byte) {
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
	if len(e.ring) == half {
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
