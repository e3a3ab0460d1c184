// Package mask finds known secrets in what programs print and puts secret.Mask in their place.
//
// A secret is found as it stands and as base64 (standard and URL alphabet, wherever it begins in the encoded data), hex
// (both cases), percent-encoded in whole or in part, JSON-escaped once or twice, HTML-escaped and quoted for a shell;
// also when it was cut by line breaks (with or without indentation), and however a stream is cut into writes. Of a secret
// with several lines every line is one too. Matches that overlap become one mask, with the line breaks that they held.
//
// Not found is what a program computes from a secret (a hash, an encryption, its text backwards), and text shorter than
// secret.MinLength, which would mask half of every log. Masking too much is accepted, masking too little is a bug.
package mask

import (
	"io"
	"slices"
	"strconv"

	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
)

// Masker knows a fixed set of secrets. It is safe for concurrent use; a nil Masker knows none and changes nothing.
type Masker struct {
	patterns []pattern
	first    [256][]int32 // patterns that can begin with this byte
	pairs    [1024]uint64 // one bit for each two bytes that can begin a pattern: what is asked at every byte of a log
}

// New builds a Masker for the given secrets, or nil when none of them can be masked.
func New(secrets ...secret.Value) *Masker {
	var patterns []pattern
	seen := map[string]bool{}
	for _, s := range secrets {
		for _, p := range forms(s.Reveal()) {
			if id := p.id(); !seen[id] {
				seen[id] = true
				patterns = append(patterns, p)
			}
		}
	}
	if len(patterns) == 0 {
		return nil
	}
	m := &Masker{patterns: patterns}
	m.index()
	return m
}

// index asks the patterns themselves which bytes can begin them: the filter cannot disagree with the matcher.
func (m *Masker) index() {
	for i, p := range m.patterns {
		for a := range 256 {
			if _, how := p.match([]byte{byte(a)}, false); how == no {
				continue
			}
			m.first[a] = append(m.first[a], int32(i))
			for b := range 256 {
				if _, how := p.match([]byte{byte(a), byte(b)}, false); how != no {
					n := a<<8 | b
					m.pairs[n>>6] |= 1 << (n & 63)
				}
			}
		}
	}
}

// may is the fast answer to whether a pattern could begin at the start of b, which is not empty.
func (m *Masker) may(b []byte) bool {
	if len(b) == 1 {
		return len(m.first[b[0]]) > 0
	}
	n := int(b[0])<<8 | int(b[1])
	return m.pairs[n>>6]&(1<<(n&63)) != 0
}

// at gives the length of the longest secret at the start of b, and whether more input could change the answer.
func (m *Masker) at(b []byte, final bool) (length int, open bool) {
	for _, i := range m.first[b[0]] {
		n, how := m.patterns[i].match(b, final)
		switch how {
		case yes:
			length = max(length, n)
		case maybe:
			open = true
		case no:
		}
	}
	return length, open
}

// Stream masks one stream of bytes that comes in pieces. What could be the beginning of a secret is held back until
// that is known; the amount is bounded by the longest secret. It is not safe for concurrent use.
type Stream struct {
	m     *Masker
	held  []byte // not given out yet
	cover int    // how many of the held bytes belong to a mask that was given out already
}

// Stream begins a stream. A nil Masker gives one that passes everything on.
func (m *Masker) Stream() *Stream { return &Stream{m: m} }

// Append appends to dst what is known to be free of secrets after p came, and returns it.
func (s *Stream) Append(dst, p []byte) []byte {
	if s.m == nil {
		return append(dst, p...)
	}
	if len(s.held) == 0 {
		dst, rest := s.scan(dst, p, false)
		s.held = append(s.held, rest...)
		return dst
	}
	s.held = append(s.held, p...)
	dst, rest := s.scan(dst, s.held, false)
	s.held = s.held[:copy(s.held, rest)]
	return dst
}

// Flush appends what was held back: nothing follows.
func (s *Stream) Flush(dst []byte) []byte {
	dst, _ = s.scan(dst, s.held, true)
	s.held, s.cover = nil, 0
	return dst
}

// scan masks b and gives back the part of it that cannot be decided yet.
func (s *Stream) scan(dst, b []byte, final bool) (out, rest []byte) {
	var (
		m    = s.m
		from = s.cover // where the text that is given out begins
		end  = s.cover // where the mask that was given out ends
	)
	for i := 0; i < len(b); i++ {
		if i < end && b[i] == '\n' {
			dst = append(dst, '\n')
		}
		if !m.may(b[i:]) {
			continue
		}
		n, open := m.at(b[i:], final)
		if open {
			if i >= end {
				dst = append(dst, b[from:i]...)
			}
			// A line break below i was given out; the one at i cannot be one, since no pattern begins with it.
			s.cover = max(0, end-i)
			return dst, b[i:]
		}
		if n == 0 {
			continue
		}
		if i >= end {
			dst = append(dst, b[from:i]...)
			dst = append(dst, secret.Mask...)
		}
		end = max(end, i+n)
		from = end
	}
	s.cover = 0
	if from < len(b) {
		dst = append(dst, b[from:]...)
	}
	return dst, nil
}

// String masks a whole text.
func (m *Masker) String(text string) string {
	if m == nil || !m.Found(text) {
		return text
	}
	s := m.Stream()
	return string(s.Flush(s.Append(nil, []byte(text))))
}

// Found tells whether a secret is in text.
func (m *Masker) Found(text string) bool {
	if m == nil {
		return false
	}
	b := []byte(text)
	for i := range b {
		if m.may(b[i:]) {
			if n, _ := m.at(b[i:], true); n > 0 {
				return true
			}
		}
	}
	return false
}

// Reads tells whether a secret is in what r gives.
func (m *Masker) Reads(r io.Reader) (bool, error) {
	if m == nil {
		return false, nil
	}
	var (
		buf  = make([]byte, 64<<10)
		held []byte
	)
	for {
		n, err := r.Read(buf)
		held = append(held, buf[:n]...)
		final := err != nil
		keep := len(held)
		for i := range held {
			if !m.may(held[i:]) {
				continue
			}
			n, open := m.at(held[i:], final)
			if n > 0 {
				return true, nil
			}
			if open {
				keep = i
				break
			}
		}
		held = held[:copy(held, held[keep:])]
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// Value masks every text in v, keys and numbers too. v is a normalised value; it is not changed, but parts of it that
// hold no secret may be shared with the answer.
func (m *Masker) Value(v any) any {
	if m == nil {
		return v
	}
	switch x := v.(type) {
	case string:
		return m.String(x)
	case int64, float64:
		if m.Found(value.Text(x)) {
			return secret.Mask
		}
		return v
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = m.Value(e)
		}
		return out
	case map[string]any:
		return m.Object(x)
	default:
		return v
	}
}

// Object masks a map as Value does. Keys that become the same get a number.
func (m *Masker) Object(o map[string]any) map[string]any {
	if m == nil || o == nil {
		return o
	}
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make(map[string]any, len(o))
	for _, k := range keys {
		name := m.String(k)
		for n := 2; ; n++ {
			if _, taken := out[name]; !taken {
				break
			}
			name = m.String(k) + " " + strconv.Itoa(n)
		}
		out[name] = m.Value(o[k])
	}
	return out
}
