package ssh

import (
	"bytes"
	"sync"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

const (
	// keepMany bounds what is kept of all hosts together, when there are several, and keepLeast what is kept of each.
	keepMany  = 8 << 20
	keepLeast = 4 << 10
)

// report is what became of one host.
type report struct {
	host string
	end  action.Result
	exit *int64
	out  *output.Capture
}

// entry is the report as one of several.
func (r *report) entry(say action.Words) map[string]any {
	e := r.out.Output()
	e["host"], e["outcome"] = r.host, string(r.end.Outcome)
	if r.exit != nil {
		e["exitCode"] = *r.exit
	}
	if r.end.Outcome != action.Succeeded {
		e["kind"], e["message"] = string(r.end.Kind), say.Of(r.end.Message)
	}
	return e
}

// text is what the host printed on stdout.
func (r *report) text() string {
	v, err := r.out.Parse("text")
	if err != nil {
		return ""
	}
	return value.Text(v)
}

// result is the report of the only host. Of parse, what cannot be read is a failure.
func (r *report) result(parse string, say action.Words) action.Result {
	end := r.end
	end.Message = say.Of(end.Message)
	if end.Outcome == action.NotStarted {
		return end
	}
	out := r.out.Output()
	out["output"] = r.text()
	if r.exit != nil {
		out["exitCode"] = *r.exit
	}
	if end.Outcome == action.Succeeded {
		v, err := r.out.Parse(parse)
		if err != nil {
			end = action.Fail(fault.KindOf(err), say.Of(err.Error()+r.out.Tail()))
		} else {
			out["value"] = v
		}
	}
	r.end = end
	out["hosts"] = []any{r.entry(say)}
	for name, o := range map[string]action.Outcome{"succeeded": action.Succeeded, "failed": action.Failed, "notStarted": action.NotStarted, "inDoubt": action.InDoubt} {
		out[name] = int64(0)
		if end.Outcome == o {
			out[name] = int64(1)
		}
	}
	end.Output = out
	return end
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
