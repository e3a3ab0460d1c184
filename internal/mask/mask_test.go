package mask_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
)

func TestMaskerFindsEveryForm(t *testing.T) {
	t.Parallel()
	const s = `Tr0ub4dor&3 "quoted"/é%41+x`
	m := mask.New(secret.New(s))
	quoted, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"as it stands":           s,
		"JSON":                   strings.Trim(string(quoted), `"`),
		"JSON in JSON":           strings.Trim(string(twice), `"\`),
		"JSON as Python":         `Tr0ub4dor&3 \"quoted\"/\u00e9%41+x`,
		"JSON as PHP":            `Tr0ub4dor&3 \"quoted\"\/\u00e9%41+x`,
		"query":                  url.QueryEscape(s),
		"query, lower case":      lowerEscapes(url.QueryEscape(s)),
		"path":                   url.PathEscape(s),
		"every byte":             everyByte(s),
		"hex":                    hex.EncodeToString([]byte(s)),
		"HEX":                    strings.ToUpper(hex.EncodeToString([]byte(s))),
		"base64":                 base64.StdEncoding.EncodeToString([]byte(s)),
		"base64 URL":             base64.URLEncoding.EncodeToString([]byte(s)),
		"base64 without padding": base64.RawURLEncoding.EncodeToString([]byte(s)),
		"base64 in a query":      url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))),
		"HTML":                   html.EscapeString(s),
		"HTML as Python":         `Tr0ub4dor&amp;3 &quot;quoted&quot;/é%41+x`,
		"printf %q":              `Tr0ub4dor\&3\ \"quoted\"/é%41+x`,
		"cut by a line end":      s[:5] + "\n" + s[5:],
		"cut by CRLF":            s[:5] + "\r\n" + s[5:],
		"cut and indented":       s[:5] + "\n        " + s[5:],
		"cut at its space":       "Tr0ub4dor&3\n\"quoted\"/é%41+x",
		"wrapped base64":         wrap(base64.StdEncoding.EncodeToString([]byte(s)), 10, "\n  "),
	}
	for name, form := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := "before <" + form + "> after"
			want := "before <[secret]" + strings.Repeat("\n", strings.Count(form, "\n")) + "> after"
			if got := m.String(in); got != want {
				t.Errorf("String(%q)\n got %q\nwant %q", in, got, want)
			}
			if !m.Found(in) {
				t.Errorf("Found(%q) = false", in)
			}
			found, err := m.Reads(iotest.OneByteReader(strings.NewReader(in)))
			if err != nil || !found {
				t.Errorf("Reads(%q) = %v, %v", in, found, err)
			}
		})
	}
}

func TestMaskerLeavesTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		secrets []string
		in      string
		want    string
	}{
		{"nothing known", nil, "plain text", "plain text"},
		{"too short", []string{"abcde"}, "abcde", "abcde"},
		{"only spaces", []string{"          "}, "          x", "          x"},
		{"beginning of a secret at the end", []string{"hunter22"}, "hunter2", "hunter2"},
		{"surrounded by a shared beginning", []string{"aabbcc"}, "aaabbccc", "a[secret]c"},
		{"one inside the other", []string{"secret-token", "token-secret"}, "my secret-token-secret!", "my [secret]!"},
		{"the longer wins", []string{"abcdef", "abcdefgh"}, "abcdefgh", "[secret]"},
		{"side by side", []string{"abcdef"}, "abcdefabcdef", "[secret][secret]"},
		{"repeating itself", []string{"aaaaaa"}, strings.Repeat("a", 1000), "[secret]"},
		{"spaces around are not the secret", []string{"  hunter22\n"}, "x hunter22 y", "x [secret] y"},
		{"a break of more than the limit", []string{"abcdef"}, "abc\n" + strings.Repeat(" ", 100) + "def", "abc\n" + strings.Repeat(" ", 100) + "def"},
		{"lines of a long one", []string{"-----BEGIN\nline-one\nline-two\n-----END"}, "a line-two b", "a [secret] b"},
		{"CRLF in place of LF", []string{"line-one\nline-two"}, "line-one\r\nline-two.", "[secret]\n."},
		{"line breaks encoded", []string{"line-one\nline-two"}, "x=line-one%0aline-two.", "x=[secret]."},
		{"bytes that are not UTF-8", []string{"\xff\xfe\xfd\x00\x01\x02"}, "<\xff\xfe\xfd\x00\x01\x02>", "<[secret]>"},
		{"percent signs", []string{"%25%25%25"}, "%25%25%25", "[secret]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := mask.New(values(tt.secrets)...)
			if got := m.String(tt.in); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			s := m.Stream()
			var out []byte
			for i := range len(tt.in) {
				out = s.Append(out, []byte{tt.in[i]})
			}
			if got := string(s.Flush(out)); got != tt.want {
				t.Errorf("byte by byte\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	m := mask.New(secret.New("123456"), secret.New("hunter22"))
	in := map[string]any{
		"hunter22": "a", "hunter22x": true, "list": []any{"say hunter22", int64(123456), 1.5, nil},
		"n": map[string]any{"url": "http://u:hunter22@h/"},
	}
	want := map[string]any{
		"[secret]": "a", "[secret]x": true, "list": []any{"say [secret]", "[secret]", 1.5, nil},
		"n": map[string]any{"url": "http://u:[secret]@h/"},
	}
	if d := cmp.Diff(want, m.Value(in)); d != "" {
		t.Error(d)
	}
	two := mask.New(secret.New("hunter22"), secret.New("hunter33")).Object(map[string]any{"hunter22": int64(1), "hunter33": int64(2)})
	if d := cmp.Diff(map[string]any{"[secret]": int64(1), "[secret] 2": int64(2)}, two); d != "" {
		t.Error(d)
	}
}

// No representation of a secret survives, however the stream is cut, and where it is cut changes nothing.
func TestNothingSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.StringMatching(`[a-zA-Z0-9+/=%&"'\\ é-]{6,40}`),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 6, 40), func(b []byte) string { return string(b) }),
		).Filter(func(s string) bool {
			return len(strings.Trim(s, " \t\r\n")) >= secret.MinLength
		}).Draw(t, "secret")
		m := mask.New(secret.New(text))
		text = strings.Trim(text, " \t\r\n")

		core := rapid.SampledFrom(shapes(text)).Draw(t, "shape")(t)
		// What is around it is of another alphabet, so that it can be told what must stay.
		before := rapid.StringMatching(`[~^]{0,80}`).Draw(t, "before")
		after := rapid.StringMatching(`[~^]{0,80}`).Draw(t, "after")
		broken := core
		if n := rapid.IntRange(0, 20).Draw(t, "wrap"); n > 0 {
			broken = wrap(core, n, rapid.SampledFrom([]string{"\n", "\r\n", "\n    ", "\r"}).Draw(t, "break"))
		}
		in := []byte(before + broken + after)

		s := m.Stream()
		var out []byte
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			out = s.Append(out, bytes.Clone(rest[:n]))
			rest = rest[n:]
		}
		out = s.Flush(out)

		got := string(out)
		if whole := m.String(string(in)); got != whole {
			t.Fatalf("cut  %q\nwhole %q", got, whole)
		}
		if !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			t.Fatalf("%q lost what is around: %q", in, got)
		}
		for _, b := range []string{"\r", "\n"} {
			got = strings.ReplaceAll(got, b, "")
		}
		if strings.Contains(got, strings.NewReplacer("\r", "", "\n", "").Replace(core)) {
			t.Fatalf("%q survives in %q", core, got)
		}
		if !strings.Contains(got, secret.Mask) {
			t.Fatalf("no mask in %q", got)
		}
	})
}

// shapes gives ways to print text: each answers what must not be seen.
func shapes(text string) []func(*rapid.T) string {
	inBase64 := func(enc *base64.Encoding) func(*rapid.T) string {
		return func(t *rapid.T) string {
			lead := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "lead")
			trail := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "trail")
			all := enc.EncodeToString(append(append(bytes.Clone(lead), text...), trail...))
			// What depends on the secret alone.
			from, to := (8*len(lead)+5)/6, 8*(len(lead)+len(text))/6
			return all[from:to]
		}
	}
	return []func(*rapid.T) string{
		func(*rapid.T) string { return text },
		func(*rapid.T) string { return hex.EncodeToString([]byte(text)) },
		func(*rapid.T) string { return strings.ToUpper(hex.EncodeToString([]byte(text))) },
		func(*rapid.T) string { return url.QueryEscape(text) },
		func(*rapid.T) string { return url.PathEscape(text) },
		func(*rapid.T) string { return everyByte(text) },
		inBase64(base64.StdEncoding), inBase64(base64.URLEncoding),
	}
}

func everyByte(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("%" + hex.EncodeToString([]byte{c}))
	}
	return b.String()
}

func lowerEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			b.WriteString(strings.ToLower(s[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func wrap(s string, n int, with string) string {
	var b strings.Builder
	for i, c := range []byte(s) {
		if i > 0 && i%n == 0 {
			b.WriteString(with)
		}
		b.WriteByte(c)
	}
	return b.String()
}

func values(texts []string) []secret.Value {
	out := make([]secret.Value, len(texts))
	for i, s := range texts {
		out[i] = secret.New(s)
	}
	return out
}

func BenchmarkStream(b *testing.B) {
	m := mask.New(secret.New("correct-horse-battery"), secret.New("xoxb-1234567890-abcdef"), secret.New("hunter2hunter2"))
	line := []byte("2026-11-20T16:36:50Z INFO request handled path=/api/v1/items status=200 duration=12ms user=alice\n")
	block := bytes.Repeat(line, 300)
	b.SetBytes(int64(len(block)))
	s := m.Stream()
	var out []byte
	for b.Loop() {
		out = s.Append(out[:0], block)
	}
}
