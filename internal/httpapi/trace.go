package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/trace"
)

// Trace is where a request stands in a trace (W3C Trace Context).
type Trace struct {
	ID     string // of the trace: 32 hex digits
	Parent string // of the span that asked: 16 hex digits, "" where the trace begins here
	Span   string // of this request
	Flags  string // 2 hex digits; 01: somebody records it
}

// String is the trace as a header for what this request asks of others.
func (t Trace) String() string { return "00-" + t.ID + "-" + t.Span + "-" + t.Flags }

type traceKey struct{}

// TraceOf gives the trace that a request belongs to, in its context.
func TraceOf(ctx context.Context) Trace {
	t, _ := ctx.Value(traceKey{}).(Trace)
	return t
}

// readTrace takes part in the trace that a request names, or begins one. What is not a traceparent is as good as none.
func readTrace(header string) Trace {
	var b [24]byte
	_, _ = rand.Read(b[:])
	t := Trace{ID: hex.EncodeToString(b[:16]), Span: hex.EncodeToString(b[16:]), Flags: "00"}
	c, ok := trace.Parse(header)
	if !ok {
		return t
	}
	t.ID, t.Parent, t.Flags = c.Trace, c.Span, strings.Split(header, "-")[3]
	return t
}

// asked is the traceparent that the request came with, or "". What the request led to stands below the span that asked: the
// request itself is not recorded as one.
func (t Trace) asked() string {
	if t.Parent == "" {
		return ""
	}
	return "00-" + t.ID + "-" + t.Parent + "-" + t.Flags
}

// toldPath is the path of a request as logs have it: without the end of a callback, by which whoever reads it could use it.
func toldPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/callbacks/") {
		return path.Dir(path.Clean(r.URL.Path)) + "/…"
	}
	return r.URL.Path
}

// traced puts a request into a trace, tells which, and logs what became of it: at debug, and where the server could not do
// it, louder.
func (s *server) traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := readTrace(r.Header.Get("Traceparent"))
		w.Header().Set("Traceresponse", t.String())
		out := &counted{ResponseWriter: w}
		began := time.Now()
		defer func() {
			log := s.Log.Debug
			if out.status >= http.StatusInternalServerError {
				log = s.Log.Warn
			}
			log("request", "method", r.Method, "path", toldPath(r), "status", out.status, "took", time.Since(began).String(), "from", r.RemoteAddr, "trace", t.ID, "span", t.Span)
		}()
		next.ServeHTTP(out, r.WithContext(context.WithValue(r.Context(), traceKey{}, t)))
	})
}

// counted remembers the status of an answer.
type counted struct {
	http.ResponseWriter

	status int
}

// Unwrap lets http.ResponseController find what is below.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}
