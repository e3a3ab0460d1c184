// Package exchange sends one HTTP request to a service that tend speaks with, and says how that ended: what is known to
// have happened, and what nobody knows.
//
// One request uses one connection, so that nothing is repeated behind anybody's back, and redirects are not followed: they
// would carry credentials elsewhere. Answers are bounded. No address and no header is in a message: both can be secret.
package exchange

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// Bounds of an exchange.
const (
	MaxBody  = 4 << 20        // bytes of an answer; a longer one cannot be read
	MaxAfter = 24 * time.Hour // what a service may ask for by Retry-After
	usual    = 30 * time.Second
)

// Caller makes exchanges. The zero Caller is ready.
type Caller struct {
	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's; egress is enforced here
	Roots   *x509.CertPool                                                       // nil: the system's
	Timeout time.Duration                                                        // of the whole exchange; zero: 30 seconds
}

// End says how something ended. The zero End is not legal.
type End struct {
	Outcome entry.Outcome
	Kind    fault.Kind    // for every outcome but succeeded
	Why     string        // for people, without secrets
	After   time.Duration // the service asked not to be asked again before
}

// OK tells whether it did its work.
func (e End) OK() bool { return e.Outcome == entry.Succeeded }

// Err gives the end as an error; nil when it is a success.
func (e End) Err() error {
	if e.OK() {
		return nil
	}
	return fault.New(e.Kind, "%s", e.Why)
}

// Done is a success.
func Done() End { return End{Outcome: entry.Succeeded} }

// Failed is a known failure.
func Failed(k fault.Kind, format string, a ...any) End { return end(entry.Failed, k, format, a...) }

// Never is a failure before any effect.
func Never(k fault.Kind, format string, a ...any) End { return end(entry.NotStarted, k, format, a...) }

// Doubt is an end that nobody knows.
func Doubt(k fault.Kind, format string, a ...any) End { return end(entry.InDoubt, k, format, a...) }

func end(o entry.Outcome, k fault.Kind, format string, a ...any) End {
	return End{Outcome: o, Kind: k, Why: clean(fmt.Sprintf(format, a...))}
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// Reply is what a service answered.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON reads the body.
func (r Reply) JSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fault.New(fault.Parse, "the answer is not the JSON that was expected")
	}
	return nil
}

// Post makes a request with a body.
func Post(ctx context.Context, url, media string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the address cannot be read") // it may be secret
	}
	r.Header.Set("Content-Type", media)
	r.Header.Set("User-Agent", "tend")
	r.GetBody = nil // a body that can be had again would be sent again
	return r, nil
}

// Do sends a request. to names the service in messages. The End is a success for every status of 2xx; of others it says
// what they mean: 429 that it did nothing for now, 5xx and 408 that nobody knows whether it acted.
func (c Caller) Do(req *http.Request, to string) (Reply, End) {
	ctx := req.Context()
	if ctx.Err() != nil {
		k, why := stopped(ctx)
		return Reply{}, Never(k, "%s: %s before it was asked", to, why)
	}
	limit := c.Timeout
	if limit == 0 {
		limit = usual
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fault.New(fault.Timeout, "no answer within %s", limit))
	defer cancel()
	t := &http.Transport{
		DialContext: c.Dial, TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 256 << 10,
	}
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	res, err := client.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return Reply{}, Broken(ctx, err, to, connected.Load())
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	switch {
	case err != nil:
		return Reply{}, Broken(ctx, err, to, true)
	case len(body) > MaxBody:
		return Reply{}, Doubt(fault.Limit, "%s: the answer is longer than %d bytes", to, MaxBody)
	}
	r := Reply{Status: res.StatusCode, Header: res.Header, Body: body}
	return r, r.end(to, time.Now())
}

// Broken classifies an exchange without a whole answer.
func Broken(ctx context.Context, err error, to string, connected bool) End {
	kind, why := reason(ctx, err)
	if !connected {
		return Never(kind, "%s: %s", to, why)
	}
	switch kind {
	case fault.Timeout, fault.Cancelled:
	default:
		kind = fault.Lost
	}
	return Doubt(kind, "%s: %s: nobody knows whether it was done", to, why)
}

// reason says what a network error means, without the address that stands in it.
func reason(ctx context.Context, err error) (fault.Kind, string) {
	var (
		f       *fault.Error
		dns     *net.DNSError
		op      *net.OpError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		timeout net.Error
	)
	switch {
	case ctx.Err() != nil:
		return stopped(ctx)
	case errors.As(err, &f):
		return f.Kind, f.Error()
	case errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fault.TLS, "its certificate is not trusted, or it does not speak TLS"
	case errors.As(err, &dns):
		return fault.Unreachable, "its name cannot be resolved"
	case errors.As(err, &op) && op.Op == "dial":
		return fault.Unreachable, "no connection"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fault.Timeout, "no answer in time"
	default:
		return fault.Lost, "the connection broke"
	}
}

func stopped(ctx context.Context) (fault.Kind, string) {
	var f *fault.Error
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &f):
		return f.Kind, f.Error()
	case errors.Is(cause, context.DeadlineExceeded):
		return fault.Timeout, "the time limit passed"
	default:
		return fault.Cancelled, "cancelled"
	}
}

// end says what a status means.
func (r Reply) end(to string, now time.Time) End {
	text := http.StatusText(r.Status)
	switch {
	case r.Status >= 200 && r.Status < 300:
		return Done()
	case r.Status == http.StatusTooManyRequests:
		e := Failed(fault.RateLimited, "%s asks to wait", to)
		e.After = After(r.Header, now)
		return e
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return Failed(fault.Auth, "%s answered %d %s: the credentials are refused", to, r.Status, text)
	case r.Status == http.StatusNotFound, r.Status == http.StatusGone:
		return Failed(fault.NotFound, "%s answered %d %s", to, r.Status, text)
	case r.Status >= 500, r.Status == http.StatusRequestTimeout:
		e := Doubt(fault.Unavailable, "%s answered %d %s: nobody knows whether it was done", to, r.Status, text)
		e.After = After(r.Header, now)
		return e
	default:
		return Failed(fault.Status, "%s answered %d %s", to, r.Status, text)
	}
}

// After reads Retry-After: seconds, or a date, which is compared with the service's own clock if it tells.
func After(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(MaxAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	if d, err := http.ParseTime(h.Get("Date")); err == nil {
		now = d
	}
	return min(max(at.Sub(now), 0), MaxAfter)
}
