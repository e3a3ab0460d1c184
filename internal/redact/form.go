package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/value"
)

// forms are the spellings under which the text may stand.
func forms(text string) []string {
	out := []string{text}
	add := func(f string) {
		if f != "" && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	plain, _ := value.Canonical(text)
	escaped, _ := json.Marshal(text)
	for _, quoted := range [][]byte{plain, escaped} {
		once := strings.TrimSuffix(strings.TrimPrefix(string(quoted), `"`), `"`)
		add(once)
		// JSON that a program printed stands as a text in JSON.
		twice, _ := value.Canonical(once)
		add(strings.TrimSuffix(strings.TrimPrefix(string(twice), `"`), `"`))
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		add(enc.EncodeToString([]byte(text)))
	}
	add(hex.EncodeToString([]byte(text)))
	add(strings.ToUpper(hex.EncodeToString([]byte(text))))
	add(url.QueryEscape(text))
	add(url.PathEscape(text))
	// The longest first: what is a part of another form is found in that one.
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

func (t *Text) erase(b []byte) ([]byte, bool) {
	hit := false
	for _, f := range t.forms {
		if n := bytes.Count(b, []byte(f)); n > 0 {
			t.count += n
			hit = true
			b = bytes.ReplaceAll(b, []byte(f), []byte(Mark))
		}
	}
	for _, f := range t.forms {
		if c := halves(b, f); c != nil {
			b, hit = c, true
			t.count++
		}
	}
	return b, hit
}

// What was left out of a long text stands between these: a value may have been cut there.
const cutFrom, cutTo = "[… ", " …]"

// halves erases what of a text stands before or after a place where something was left out, or gives nil.
func halves(b []byte, text string) []byte {
	var out []byte
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(cutFrom))
		if i < 0 {
			break
		}
		i += at
		at = i + len(cutFrom)
		head, tail := 0, 0
		for _, nl := range []string{"", "\n", `\n`} {
			before, _ := bytes.CutSuffix(b[:i], []byte(nl))
			for n := len(text) - 1; n >= minHalf && head == 0; n-- {
				if bytes.HasSuffix(before, []byte(text[:n])) {
					head = n
					out = append(append(append(out[:0:0], before[:len(before)-n]...), Mark...), b[len(before):]...)
				}
			}
			if head > 0 {
				break
			}
		}
		if head > 0 {
			b, at = out, at+len(Mark)-head
		}
		end := bytes.Index(b[at:], []byte(cutTo))
		if end < 0 {
			break
		}
		end += at + len(cutTo)
		for _, nl := range []string{"", "\n", `\n`} {
			after, ok := bytes.CutPrefix(b[end:], []byte(nl))
			for n := len(text) - 1; ok && n >= minHalf && tail == 0; n-- {
				if bytes.HasPrefix(after, []byte(text[len(text)-n:])) {
					tail = n
					out = append(append(append(out[:0:0], b[:len(b)-len(after)]...), Mark...), after[n:]...)
				}
			}
			if tail > 0 {
				b = out
				break
			}
		}
	}
	return out
}

// minHalf is how many characters of a value that was cut are not left standing.
const minHalf = 4
