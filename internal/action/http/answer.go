package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// maxAfter bounds what a server may ask for by Retry-After.
const maxAfter = 24 * time.Hour

// answered classifies an exchange in which the server sent a status.
func (x *exchange) answered(ctx context.Context, res *http.Response) action.Result {
	raw, err := io.ReadAll(io.LimitReader(res.Body, x.in.Limit+1))
	ok := x.expect.has(res.StatusCode)
	if err != nil && ok {
		return x.broken(ctx, broke{err}, fmt.Sprintf(" (after the status %d)", res.StatusCode))
	}
	cut := int64(len(raw)) > x.in.Limit
	if cut {
		raw = raw[:x.in.Limit]
		x.log("tend", fmt.Appendf(nil, "the answer is longer than %d bytes: the rest is left out\n", x.in.Limit))
	}
	x.log("tend", fmt.Appendf(nil, "%s %s: %d, %d bytes\n", x.method, x.where, res.StatusCode, len(raw)))
	output := output(res, raw, cut)
	if ok {
		return action.OK(output)
	}
	r := x.refusal(res, raw)
	r.Output = output
	return r
}

// broke marks an error of reading the answer, so that it is never taken for one of connecting.
type broke struct{ err error }

func (b broke) Error() string { return b.err.Error() }

// Is lets errors.Is see a short answer through the mark.
func (b broke) Is(target error) bool {
	return errors.Is(target, io.ErrUnexpectedEOF) && errors.Is(b.err, io.ErrUnexpectedEOF)
}

func output(res *http.Response, raw []byte, cut bool) map[string]any {
	headers := make(map[string]any, len(res.Header))
	for name, values := range res.Header {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), string(unicode.ReplacementChar))
	}
	text := strings.ToValidUTF8(string(raw), string(unicode.ReplacementChar))
	out := map[string]any{"status": int64(res.StatusCode), "headers": headers, "body": text, "value": text, "truncated": cut}
	if v, ok := data(res.Header.Get("Content-Type"), text); ok && !cut {
		out["json"], out["value"] = v, v
	}
	return out
}

// data reads a body that says, or looks as if, it is JSON.
func data(contentType, text string) (any, bool) {
	kind, _, _ := mime.ParseMediaType(contentType) // an unreadable type is no type
	text = strings.TrimSpace(text)
	says := kind == "application/json" || strings.HasSuffix(kind, "+json")
	if !says && !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return nil, false
	}
	v, err := value.Parse([]byte(text))
	return v, err == nil
}

// refusal classifies a status that was not expected.
func (x *exchange) refusal(res *http.Response, raw []byte) action.Result {
	code := res.StatusCode
	why := fmt.Sprintf("%s %s: the server answered %d %s", x.method, x.where, code, http.StatusText(code))
	if to, err := res.Location(); err == nil && code >= 300 && code < 400 {
		why += ", a redirect to " + shown(to, x.in.URL.Secret()) + ", which is not followed (see redirects)"
	}
	if e := excerpt(raw); e != "" && !x.in.URL.Secret() {
		why += ": " + e
	}
	if x.effect != contract.Read && (code == 408 || code == 502 || code == 504) {
		return action.Doubt(fault.Status, why+": a gateway speaks, and nobody knows whether the server behind it acted")
	}
	r := action.Fail(fault.Status, why)
	switch {
	case code == 429:
		r.Kind = fault.RateLimited
	case code == 401 || code == 403 || code == 407:
		r.Kind = fault.Auth
	case x.retryable.has(code):
		r.Kind = fault.Unavailable
	}
	r.After = retryAfter(res.Header, time.Now())
	return r
}

// retryAfter reads Retry-After: seconds, or a date, which is compared with the server's own clock if it tells.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(maxAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	if d, err := http.ParseTime(h.Get("Date")); err == nil {
		now = d
	}
	return min(max(at.Sub(now), 0), maxAfter)
}

// excerpt is the beginning of a body for a message.
func excerpt(raw []byte) string {
	s := action.Clean(strings.Join(strings.Fields(string(raw[:min(len(raw), 1000)])), " "))
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}
