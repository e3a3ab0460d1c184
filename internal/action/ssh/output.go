package ssh

import (
	"bytes"
	"strings"
	"sync"
	"unicode"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/secret"
)

const (
	keepOne  = 1 << 20  // of each stream in the output, with one host
	keepMany = 32 << 10 // with several
	maxTail  = 2 << 10  // of stderr in a message
)

// report is what became of one host.
type report struct {
	host string
	end  action.Result
	exit *int64
	out  *capture
}

// entry is the report as one of several.
func (r *report) entry(say words) map[string]any {
	e := map[string]any{"host": r.host, "outcome": string(r.end.Outcome), "stdout": r.out.text(), "stderr": r.out.errors(), "truncated": r.out.cut()}
	if r.exit != nil {
		e["exitCode"] = *r.exit
	}
	if r.end.Outcome != action.Succeeded {
		e["kind"], e["message"] = string(r.end.Kind), say.of(r.end.Message)
	}
	return e
}

// result is the report of the only host.
func (r *report) result(say words) action.Result {
	end := r.end
	end.Message = say.of(end.Message)
	if end.Outcome == action.NotStarted {
		return end
	}
	value := strings.TrimRight(r.out.text(), "\r\n")
	end.Output = map[string]any{
		"value": value, "output": value, "stdout": r.out.text(), "stderr": r.out.errors(), "truncated": r.out.cut(),
		"hosts": []any{r.entry(say)}, "succeeded": count(end, action.Succeeded), "failed": count(end, action.Failed),
		"notStarted": int64(0), "inDoubt": count(end, action.InDoubt),
	}
	if r.exit != nil {
		end.Output["exitCode"] = *r.exit
	}
	return end
}

func count(r action.Result, o action.Outcome) int64 {
	if r.Outcome == o {
		return 1
	}
	return 0
}

// capture keeps the head of what a host printed. A nil capture has kept nothing.
type capture struct {
	mu     sync.Mutex
	room   int // of each stream
	stdout bytes.Buffer
	stderr bytes.Buffer
	over   bool
}

func (c *capture) write(stream string, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &c.stdout
	if stream == "stderr" {
		b = &c.stderr
	}
	if room := c.room - b.Len(); len(p) > room {
		c.over = true
		p = p[:max(room, 0)]
	}
	b.Write(p)
}

func (c *capture) text() string   { return c.read(func() *bytes.Buffer { return &c.stdout }) }
func (c *capture) errors() string { return c.read(func() *bytes.Buffer { return &c.stderr }) }

func (c *capture) read(which func() *bytes.Buffer) string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.ToValidUTF8(which().String(), "\uFFFD")
}

func (c *capture) cut() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// tail gives the end of stderr for a message, after a colon, or nothing.
func (c *capture) tail() string {
	t := strings.TrimSpace(clean(c.errors()))
	if len(t) > maxTail {
		t = "…" + strings.ToValidUTF8(t[len(t)-maxTail:], "")
	}
	if t == "" {
		return ""
	}
	return ": " + t
}

// prefixed gives a log whose lines begin with the host, and a function that writes what has no end of line yet.
func prefixed(log action.Log, host string) (action.Log, func()) {
	var mu sync.Mutex
	rest := map[string][]byte{}
	write := func(stream string, line []byte) { log(stream, append([]byte(host+": "), line...)) }
	return func(stream string, p []byte) {
			mu.Lock()
			defer mu.Unlock()
			b := append(rest[stream], p...)
			for {
				i := bytes.IndexByte(b, '\n')
				if i < 0 && len(b) < 64<<10 {
					break
				}
				if i < 0 {
					i = len(b) - 1
				}
				write(stream, b[:i+1])
				b = b[i+1:]
			}
			rest[stream] = bytes.Clone(b)
		}, func() {
			mu.Lock()
			defer mu.Unlock()
			for stream, b := range rest {
				if len(b) > 0 {
					write(stream, append(b, '\n'))
				}
			}
			clear(rest)
		}
}

// words turns what another side says into what people may read: without secrets and control characters.
type words struct{ masker *mask.Masker }

func newWords(req action.Request, in inputs) words {
	secrets := append(secretsIn(req.Inputs), secretsIn(req.Env)...)
	for _, t := range []action.Text{in.PrivateKey, in.Passphrase} {
		secrets = append(secrets, secret.New(t.Reveal()))
	}
	return words{masker: mask.New(secrets...)}
}

func secretsIn(v any) []secret.Value {
	var out []secret.Value
	switch x := v.(type) {
	case secret.Value:
		return []secret.Value{x}
	case []any:
		for _, e := range x {
			out = append(out, secretsIn(e)...)
		}
	case map[string]any:
		for _, e := range x {
			out = append(out, secretsIn(e)...)
		}
	}
	return out
}

func (w words) of(text string) string { return w.masker.String(clean(text)) }

// clean makes text safe to show: valid UTF-8 without control characters but newline and tab.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
