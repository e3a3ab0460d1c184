package http

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

const (
	maxFile = 100 << 20
	maxKeep = 16 << 20
)

type inputs struct {
	URL       action.Text            `in:"url"`
	Method    string                 `in:"method"`
	Path      []action.Text          `in:"path"`
	Query     map[string]any         `in:"query"`
	Headers   map[string]action.Text `in:"headers"`
	Body      *action.Text           `in:"body"`
	JSON      any                    `in:"json"`
	Form      map[string]any         `in:"form"`
	File      string                 `in:"file"`
	Auth      map[string]any         `in:"auth"`
	Expect    []any                  `in:"expect"`
	Retryable []any                  `in:"retryable"`
	Timeout   time.Duration          `in:"timeout"`
	TLS       map[string]any         `in:"tls"`
	Redirects int                    `in:"redirects"`
	Limit     int64                  `in:"limit"`

	auth authInputs
	tls  tlsInputs
}

type authInputs struct {
	Bearer   *action.Text `in:"bearer"`
	Username *action.Text `in:"username"`
	Password *action.Text `in:"password"`
}

type tlsInputs struct {
	CA         string      `in:"ca"`
	Cert       string      `in:"cert"`
	Key        action.Text `in:"key"`
	ServerName string      `in:"serverName"`
	Insecure   bool        `in:"insecure"`
}

func invalid(format string, a ...any) *fault.Error { return fault.New(fault.Invalid, format, a...) }

// read decodes the inputs and checks what can be checked without the outside.
func read(given map[string]any) (inputs, error) {
	in := inputs{
		Method: "GET", Timeout: 30 * time.Second, Limit: 1 << 20, Expect: []any{"2xx"},
		Retryable: []any{int64(408), int64(425), int64(429), int64(502), int64(503), int64(504)},
	}
	err := action.Decode(given, &in)
	problems := []error{err}
	if err := action.Decode(in.Auth, &in.auth); err != nil {
		problems = append(problems, fault.Wrap(fault.Invalid, err, "auth"))
	}
	if err := action.Decode(in.TLS, &in.tls); err != nil {
		problems = append(problems, fault.Wrap(fault.Invalid, err, "tls"))
	}
	bad := func(err *fault.Error) { problems = append(problems, err) }
	in.Method = strings.ToUpper(in.Method)
	if !token(in.Method) || len(in.Method) > 20 || in.Method == "CONNECT" || in.Method == "TRACE" {
		bad(invalid("method %.40q cannot be sent", in.Method))
	}
	bodies := 0
	for _, there := range []bool{in.Body != nil, in.JSON != nil, in.Form != nil, in.File != ""} {
		if there {
			bodies++
		}
	}
	if bodies > 1 {
		bad(invalid("more than one of body, json, form and file is given"))
	}
	if in.auth.Bearer != nil && in.auth.Username != nil || in.auth.Username == nil && in.auth.Password != nil {
		bad(invalid("auth needs either bearer, or username and password"))
	}
	if in.Timeout == 0 {
		bad(invalid("a timeout of nothing leaves no time"))
	}
	if in.Redirects < 0 || in.Redirects > 10 {
		bad(invalid("redirects is %d; it can be 0 to 10", in.Redirects))
	}
	if in.Limit < 1 || in.Limit > maxKeep {
		bad(invalid("limit is %d; it can be 1 to %d bytes", in.Limit, maxKeep))
	}
	return in, errors.Join(problems...)
}

// prepared is a request that is ready to be sent, with what is needed to judge its end.
type prepared struct {
	in            inputs
	request       *http.Request
	secretHeaders map[string]bool
	tls           *tls.Config
	egress        action.Egress
	effect        contract.Effect
	method        string
	where         string // for messages: the address without query and without secrets
	expect        statuses
	retryable     statuses
	close         func()
}

func (in inputs) prepare(req action.Request) (p prepared, err error) {
	p = prepared{in: in, egress: req.Egress, method: in.Method, close: func() {}, secretHeaders: map[string]bool{}}
	p.effect = req.Effect
	if !slices.Contains([]contract.Effect{contract.Read, contract.Idempotent, contract.Mutate}, p.effect) {
		p.effect = methodEffect(in.Method)
	}
	u, err := in.address()
	if err != nil {
		return p, err
	}
	p.where = shown(u, in.URL.Secret() || slices.ContainsFunc(in.Path, action.Text.Secret))
	var problems []error
	if err := req.Egress.Host(u.Hostname(), port(u)); err != nil {
		return p, err
	}
	if p.expect, err = parseStatuses("expect", in.Expect); err != nil {
		problems = append(problems, err)
	}
	if p.retryable, err = parseStatuses("retryable", in.Retryable); err != nil {
		problems = append(problems, err)
	}
	if p.tls, err = in.tls.config(); err != nil {
		problems = append(problems, err)
	}
	header, host, err := in.header()
	if err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return p, err
	}
	for name, v := range in.Headers {
		p.secretHeaders[http.CanonicalHeaderKey(name)] = v.Secret()
	}
	body, err := in.body(req.Dir)
	if err != nil {
		return p, err
	}
	p.close = body.close
	p.request, err = http.NewRequest(in.Method, u.String(), body.reader)
	if err != nil {
		body.close()
		return p, invalid("the request cannot be made") // the reason would quote the address
	}
	if body.reopen != nil {
		p.request.ContentLength = body.size
		p.request.GetBody = body.reopen
	}
	if req.Trace != "" && header.Get("Traceparent") == "" && headerValue(req.Trace) {
		header.Set("Traceparent", req.Trace)
	}
	p.request.Header = header
	p.request.Host = host
	if header.Get("Content-Type") == "" && body.kind != "" {
		header.Set("Content-Type", body.kind)
	}
	if p.effect != contract.Read && req.Key != "" && header.Get("Idempotency-Key") == "" && headerValue(req.Key) {
		header.Set("Idempotency-Key", req.Key)
	}
	return p, nil
}

// address builds the URL: data that was given as path and query is encoded.
func (in inputs) address() (*url.URL, error) {
	raw := strings.TrimSpace(in.URL.Reveal())
	if raw == "" {
		return nil, invalid("url is empty")
	}
	if strings.ContainsFunc(raw, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || r == '\\' || r == unicode.ReplacementChar
	}) {
		return nil, invalid("url contains a space, a line break or a backslash").WithNext("give data by path and query, which are encoded")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, invalid("url cannot be read") // the reason would quote it
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	escaped := u.EscapedPath()
	for i, s := range in.Path {
		seg := s.Reveal()
		if seg == "" || seg == "." || seg == ".." {
			return nil, invalid("path[%d] is %q, which would change the path in another way", i, seg)
		}
		escaped = strings.TrimSuffix(escaped, "/") + "/" + url.PathEscape(seg)
	}
	if len(in.Path) > 0 {
		if u.Path, err = url.PathUnescape(escaped); err != nil {
			return nil, invalid("the path of url cannot be read")
		}
		u.RawPath = escaped
	}
	q, err := pairs("query", in.Query)
	if err != nil {
		return nil, err
	}
	if e := q.Encode(); e != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += e
	}
	return u, nil
}

// checkURL refuses what is no plain web address. It is asked for redirects too.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return invalid("url has the scheme %.20q; it can be http or https", u.Scheme)
	case u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return invalid("url has no host")
	case u.User != nil:
		return invalid("url contains credentials").WithNext("give them by auth")
	}
	return nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// shown is an address for messages: without query, and without the path when that is secret.
func shown(u *url.URL, secret bool) string {
	if secret {
		return "[secret address]"
	}
	return action.Clean(u.Scheme + "://" + u.Host + u.EscapedPath())
}

// pairs turns a map into query or form parameters.
func pairs(what string, m map[string]any) (url.Values, error) {
	out := url.Values{}
	var problems []error
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list, many := m[k].([]any)
		if !many {
			list = []any{m[k]}
		}
		for _, e := range list {
			switch x := action.Reveal(e).(type) {
			case nil:
			case map[string]any, []any:
				problems = append(problems, invalid("%s: %.60q is neither text nor a list of texts", what, k))
			default:
				out.Add(k, value.Text(x))
			}
		}
	}
	return out, errors.Join(problems...)
}

// The headers that the protocol owns.
func owned(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Proxy-Connection", "Keep-Alive", "Upgrade", "Te", "Trailer", "Expect":
		return true
	default:
		return false
	}
}

func (in inputs) header() (h http.Header, host string, err error) {
	h = http.Header{"User-Agent": {"tend"}}
	var problems []error
	bad := func(err *fault.Error) { problems = append(problems, err) }
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		canonical, v := http.CanonicalHeaderKey(name), in.Headers[name].Reveal()
		switch {
		case !token(name):
			bad(invalid("headers: %.60q cannot be the name of a header", name))
		case owned(canonical):
			bad(invalid("headers: %s belongs to the protocol", canonical))
		case !headerValue(v):
			bad(invalid("headers: the value of %s contains a line break or another control character", canonical))
		case canonical == "Host":
			host = v
		default:
			h.Set(canonical, v)
		}
	}
	if in.auth.Bearer != nil || in.auth.Username != nil {
		if h.Get("Authorization") != "" {
			bad(invalid("both auth and the header Authorization are given"))
		}
	}
	switch a := in.auth; {
	case a.Bearer != nil:
		t := a.Bearer.Reveal()
		if t == "" || !headerValue(t) || strings.ContainsAny(t, " \t") {
			bad(invalid("auth: the bearer token is empty or contains a space or a line break"))
			break
		}
		h.Set("Authorization", "Bearer "+t)
	case a.Username != nil:
		user, password := a.Username.Reveal(), ""
		if a.Password != nil {
			password = a.Password.Reveal()
		}
		if strings.Contains(user, ":") || !headerValue(user+password) {
			bad(invalid("auth: the username contains a colon, or one of both a control character"))
			break
		}
		r := http.Request{Header: h}
		r.SetBasicAuth(user, password)
	}
	return h, host, errors.Join(problems...)
}

// token tells whether s can be a method or the name of a header.
func token(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// headerValue tells whether s can be the value of a header: nothing that could end it and begin another.
func headerValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

type body struct {
	reader io.Reader
	kind   string // Content-Type
	size   int64
	reopen func() (io.ReadCloser, error) // of a file
	close  func()
}

func (in inputs) body(dir string) (body, error) {
	b := body{close: func() {}}
	switch {
	case in.Body != nil:
		b.reader, b.kind = strings.NewReader(in.Body.Reveal()), "text/plain; charset=utf-8"
	case in.JSON != nil:
		v, err := value.Normalize(action.Reveal(in.JSON))
		if err != nil {
			return b, invalid("json: %s", err)
		}
		encoded, err := value.Canonical(v)
		if err != nil {
			return b, invalid("json: %s", err)
		}
		b.reader, b.kind = bytes.NewReader(encoded), "application/json"
	case in.Form != nil:
		v, err := pairs("form", in.Form)
		if err != nil {
			return b, err
		}
		b.reader, b.kind = strings.NewReader(v.Encode()), "application/x-www-form-urlencoded"
	case in.File != "":
		return fileBody(in.File, dir)
	}
	return b, nil
}

func fileBody(name, dir string) (body, error) {
	b := body{close: func() {}}
	if strings.ContainsRune(name, 0) {
		return b, invalid("file: the name contains a NUL byte")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	st, err := os.Stat(name) // before opening: a pipe would hang
	switch {
	case err != nil && errors.Is(err, os.ErrNotExist):
		return b, fault.New(fault.Missing, "file %.200q is not there", name)
	case err != nil:
		return b, fault.New(fault.Missing, "file %.200q cannot be read", name)
	case !st.Mode().IsRegular():
		return b, fault.New(fault.Missing, "file %.200q is not a regular file", name)
	case st.Size() > maxFile:
		return b, fault.New(fault.Limit, "file %.200q is larger than %d MiB", name, maxFile>>20)
	}
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	f, err := open()
	if err != nil {
		return b, fault.New(fault.Missing, "file %.200q cannot be read", name)
	}
	return body{reader: f, kind: "application/octet-stream", size: st.Size(), reopen: open, close: func() { _ = f.Close() }}, nil
}

func (t tlsInputs) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} //nolint:gosec // asked for, and linted
	if t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, invalid("tls: ca holds no certificate in PEM form")
		}
	}
	if (t.Cert == "") != t.Key.Empty() {
		return nil, invalid("tls: cert and key belong together")
	}
	if t.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key.Reveal()))
		if err != nil {
			return nil, invalid("tls: cert and key do not fit together or are not in PEM form")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// statuses are ranges, both ends included.
type statuses [][2]int

func (s statuses) has(code int) bool {
	return slices.ContainsFunc(s, func(r [2]int) bool { return code >= r[0] && code <= r[1] })
}

// parseStatuses reads 204, "204", "2xx" and "200-204".
func parseStatuses(what string, list []any) (statuses, error) {
	var out statuses
	var problems []error
	for _, e := range list {
		s := strings.ToLower(strings.TrimSpace(value.Text(e)))
		from, to, ranged := strings.Cut(s, "-")
		if class, ok := strings.CutSuffix(s, "xx"); ok && len(class) == 1 {
			from, to, ranged = class+"00", class+"99", true
		}
		if !ranged {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || a < 100 || b > 599 || a > b || action.HasSecret(e) {
			problems = append(problems, invalid("%s: %.40q is not a status, as 204, 2xx or 200-204", what, s))
			continue
		}
		out = append(out, [2]int{a, b})
	}
	return out, errors.Join(problems...)
}
