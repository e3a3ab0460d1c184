package transcript_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/transcript"
)

func TestLinesAreClean(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", transcript.MaxLine)
	tests := []struct {
		name string
		in   string
		want []string // a + at the end: the line goes on
	}{
		{"nothing", "", nil},
		{"a line", "one\n", []string{"one"}},
		{"no line end", "one\ntwo", []string{"one", "two"}},
		{"blank lines", "\n\none\n\n", []string{"", "", "one", ""}},
		{"CRLF", "one\r\ntwo\r\n\r\n", []string{"one", "two", ""}},
		{"CR CR LF", "one\r\r\ntwo", []string{"one", "two"}},
		{"progress", "\r10%\r20%\r\r30%\n", []string{"10%", "20%", "30%"}},
		{"NUL", "a\x00b\n", []string{"a␀b"}},
		{"escape sequences", "\x1b[31mred\x1b[0m\x07\x7f\n", []string{"␛[31mred␛[0m␇␡"}},
		{"C1 controls", "a\u009b31mb\n", []string{"a\ufffd31mb"}},
		{"tabs stay", "a\tb\n", []string{"a\tb"}},
		{"characters stay", "grüße 日本 🎉\n", []string{"grüße 日本 🎉"}},
		{"Latin-1", "gr\xfc\xdfe\n", []string{"gr\ufffd\ufffde"}},
		{"half a character at the end", "a\xe6\x97", []string{"a\ufffd\ufffd"}},
		{"half a character in a line", "a\xe6\x97\nb", []string{"a\ufffd\ufffd", "b"}},
		{"a surrogate", "\xed\xa0\x80\n", []string{"\ufffd\ufffd\ufffd"}},
		{"as long as a line may be", long + "\n", []string{long}},
		{"longer", long + "y\n", []string{long + "+", "y"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1 << 20, 1, 3} {
				if d := cmp.Diff(tt.want, print(t, transcript.Config{}, tt.in, size)); d != "" {
					t.Errorf("in writes of %d bytes: %s", size, d)
				}
			}
		})
	}
}

// Whatever bytes come, and however they are cut, the lines are the same and are clean text without the secret.
func TestLinesAreCleanWhateverComes(t *testing.T) {
	t.Parallel()
	const hidden = "hunter22"
	m := mask.New(secret.New(hidden))
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOf(rapid.OneOf(
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
			rapid.SampledFrom([]string{"\r", "\n", "\r\n", "\x00", "é", "🎉", "\xf0\x9f", hidden, "hunter\n22", "hunt"}),
		)).Draw(t, "parts"), "")
		var cut []string
		l := transcript.New(transcript.Config{Mask: m, Print: collect(&cut)})
		for rest := in; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "write")
			l.Write("stdout", []byte(rest[:n]))
			rest = rest[n:]
		}
		l.Close()
		var whole []string
		o := transcript.New(transcript.Config{Mask: m, Print: collect(&whole)})
		o.Write("stdout", []byte(in))
		o.Close()
		if d := cmp.Diff(whole, cut); d != "" {
			t.Fatal(d)
		}
		for _, line := range whole {
			if !utf8.ValidString(line) {
				t.Fatalf("%q is not UTF-8", line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return r < 0x20 && r != '\t' || r >= 0x7f && r < 0xa0 }) {
				t.Fatalf("%q has control characters", line)
			}
		}
		if strings.Contains(strings.Join(whole, ""), hidden) {
			t.Fatalf("the secret is in %q", whole)
		}
		if d := cmp.Diff(whole, stored(t, l)); d != "" {
			t.Fatalf("stored: %s", d)
		}
	})
}

func TestStreamsAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC()
		l := transcript.New(transcript.Config{Mask: mask.New(secret.New("hunter22"))})
		l.Write("stdout", []byte("hun"))
		time.Sleep(time.Second)
		l.Write("stderr", []byte("an error\n"))
		time.Sleep(time.Second)
		l.Write("stdout", []byte("ter22\n"))
		l.Say("that was it")
		l.Close()
		l.Write("stdout", []byte("too late\n"))
		want := []transcript.Line{
			{At: start.Add(time.Second), Stream: "stderr", Text: "an error"},
			{At: start.Add(2 * time.Second), Stream: "stdout", Text: "[secret]"},
			{At: start.Add(2 * time.Second), Stream: "tend", Text: "that was it"},
		}
		var got []transcript.Line
		for line, err := range transcript.Read(l.Reader()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, line)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func TestLongTranscriptKeepsBothEnds(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{2 << 10, 100 << 10, 2 << 20} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := transcript.New(transcript.Config{Cap: limit, Dir: dir})
			const lines = 100_000
			total := 0
			for i := range lines {
				n, _ := fmt.Fprintf(writer{l}, "line %06d %s\n", i, strings.Repeat("-", i%40))
				total += n
			}
			l.Close()
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("the spool has a name: %v %v", left, err)
			}
			var (
				kept, cost int
				cut        *transcript.Cut
				next       int
			)
			for line, err := range transcript.Read(l.Reader()) {
				if err != nil {
					t.Fatal(err)
				}
				if line.Cut != nil {
					if cut != nil {
						t.Fatal("cut twice")
					}
					cut = line.Cut
					if want := fmt.Sprintf("[… %d bytes in %d lines are left out here …]", cut.Bytes, cut.Lines); line.Text != want {
						t.Errorf("the cut says %q, want %q", line.Text, want)
					}
					next += int(cut.Lines)
					continue
				}
				if !strings.HasPrefix(line.Text, fmt.Sprintf("line %06d ", next)) {
					t.Fatalf("line %d is %q", next, line.Text)
				}
				next++
				kept += len(line.Text) + 1
				cost += len(line.Text) + 64
			}
			if cut == nil || next != lines || kept+int(cut.Bytes) != total {
				t.Fatalf("cut %+v, lines to %d of %d, %d bytes kept of %d", cut, next, lines, kept, total)
			}
			if int64(cost) > limit || int64(cost) < limit*8/10 {
				t.Errorf("kept %d of %d", cost, limit)
			}
			l.Discard()
		})
	}
}

func TestTranscriptSurvivesAFullDisk(t *testing.T) {
	t.Parallel()
	l := transcript.New(transcript.Config{Dir: filepath.Join(t.TempDir(), "gone")})
	for range 100_000 {
		l.Write("stdout", []byte("some line\n"))
	}
	l.Close()
	defer l.Discard()
	var last transcript.Line
	n := 0
	for line, err := range transcript.Read(l.Reader()) {
		if err != nil {
			t.Fatal(err)
		}
		last = line
		n++
	}
	if last.Cut == nil || !strings.Contains(last.Text, "missing here: no such file or directory") || int64(n-1)+last.Cut.Lines != 100_000 {
		t.Errorf("%d lines, the last %+v", n, last)
	}
}

func TestReadSaysWhatIsDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"not JSON":  "{\"at\":\"2026-11-20T00:00:00Z\",\"stream\":\"stdout\",\"text\":\"a\"}\nnonsense\n",
		"cut short": "{\"at\":\"2026-11-20T00:00:00Z\",\"stream\":\"stdout\",\"text\":\"a\"}\n{\"at\":\"2026",
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var errs []error
			n := 0
			for _, err := range transcript.Read(strings.NewReader(in)) {
				n++
				if err != nil {
					errs = append(errs, err)
				}
			}
			if n != 2 || len(errs) != 1 || !fault.Is(errs[0], fault.Damaged) || !strings.Contains(errs[0].Error(), "line 2") {
				t.Errorf("%d lines, %v", n, errs)
			}
		})
	}
	for _, err := range transcript.Read(io.MultiReader(strings.NewReader("{"), failing{})) {
		if !errors.Is(err, errDisk) {
			t.Errorf("got %v", err)
		}
	}
}

var errDisk = errors.New("disk")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

type writer struct{ l *transcript.Log }

func (w writer) Write(p []byte) (int, error) {
	w.l.Write("stdout", p)
	return len(p), nil
}

func collect(into *[]string) func(transcript.Line) {
	return func(l transcript.Line) { *into = append(*into, mark(l)) }
}

func mark(l transcript.Line) string {
	if l.More {
		return l.Text + "+"
	}
	return l.Text
}

func print(t *testing.T, c transcript.Config, in string, size int) []string {
	t.Helper()
	var got []string
	c.Print = collect(&got)
	l := transcript.New(c)
	for b := []byte(in); len(b) > 0; b = b[min(size, len(b)):] {
		p := bytes.Clone(b[:min(size, len(b))])
		l.Write("stdout", p)
		clear(p) // the caller may use it again
	}
	l.Close()
	if l.Empty() != (len(got) == 0) {
		t.Errorf("Empty() = %v after %d lines", l.Empty(), len(got))
	}
	if d := cmp.Diff(got, stored(t, l)); d != "" {
		t.Errorf("stored: %s", d)
	}
	return got
}

func stored(t interface{ Fatal(...any) }, l *transcript.Log) []string {
	var got []string
	for line, err := range transcript.Read(l.Reader()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, mark(line))
	}
	return got
}

func BenchmarkWrite(b *testing.B) {
	m := mask.New(secret.New("correct-horse-battery"))
	block := bytes.Repeat([]byte("2026-11-20T16:36:50Z INFO request handled path=/api/v1/items status=200 duration=12ms user=alice\n"), 320)
	for name, c := range map[string]transcript.Config{"bare": {}, "masked": {Mask: m}, "followed": {Mask: m, Print: func(transcript.Line) {}}} {
		b.Run(name, func(b *testing.B) {
			c.Dir = b.TempDir()
			l := transcript.New(c)
			defer l.Discard()
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				l.Write("stdout", block)
			}
		})
	}
}
