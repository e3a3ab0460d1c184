package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/repeat"
	"github.com/tendhq/tend/internal/wire"
)

// Route is a way in: what is asked, and what the one who asks needs. Pattern is of http.ServeMux.
type Route struct {
	Method  string
	Pattern string
	Need    access.Need
}

// about describes an operation, for the contract and for its bounds.
type about struct {
	id      string // of the operation, in camelCase: the name of the generated client's method
	tag     string // what it belongs to
	summary string // one line without a full stop
	text    string // more, if there is more to say

	body   int64         // largest body; 0: maxBody
	time   time.Duration // longest answer; 0: answerTime; below 0: a stream, bounded by its writes
	status int           // of success; 0: 200
	media  string        // of the answer, where it is not JSON
	shown  bool          // the answer is shown once: it is not kept for a repeat
}

// api is the route table while it is made: there is no other way in.
type api struct {
	server *server
	mux    *http.ServeMux
	huma   huma.API
	routes []Route
	later  []func() // when all routes are there
}

func newAPI(s *server) *api {
	a := &api{server: s, mux: http.NewServeMux()}
	format := huma.Format{Marshal: marshal, Unmarshal: unmarshal}
	a.huma = humago.New(a.mux, huma.Config{
		OpenAPI:                      contract(),
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{inOurWords},
	})
	return a
}

// marshal writes JSON. HTML is not escaped: payloads of entries must arrive as the bytes that were hashed.
func marshal(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func unmarshal(b []byte, v any) error {
	err := json.Unmarshal(b, v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && strings.Contains(err.Error(), "after top-level value") {
		return errors.New("the body holds more than one JSON document")
	}
	return err
}

// add registers an operation. Its input is a struct with the parameters and the Body, its output one with headers and the
// Body, as package huma reads them. What need.Kind names is the object of the request when the path has a parameter of
// that name: the answer depends on the project that it belongs to.
func add[I, O any](a *api, need access.Need, method, pattern string, d about, handle func(context.Context, *I) (*O, error)) {
	if d.body == 0 {
		d.body = maxBody
	}
	if d.time == 0 {
		d.time = answerTime
	}
	op := huma.Operation{
		OperationID: d.id, Method: method, Path: pattern, Summary: d.summary, Description: d.text, Tags: []string{d.tag},
		DefaultStatus: d.status, MaxBodyBytes: d.body + 1, BodyReadTimeout: readTime,
		Responses:   map[string]*huma.Response{"default": problems(a.huma)},
		Security:    security(need),
		Extensions:  map[string]any{"x-tend-need": need},
		Middlewares: huma.Middlewares{a.server.enter(need, d)},
	}
	if d.time > answerTime {
		op.Extensions["x-tend-time"] = d.time.String() // longer than others
	}
	if method != http.MethodGet {
		longest := repeat.MaxKey
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: repeat.Header, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
			Description: "Makes a repeat safe: the same key for the same request gives the first answer again.",
		})
	}
	if d.media != "" {
		op.Responses["200"] = &huma.Response{
			Description: "OK", Content: map[string]*huma.MediaType{d.media: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if all, ok := ctx.Value(arrivedKey{}).(func()); ok {
			all()
		}
		out, err := handle(ctx, in)
		if err != nil {
			if cause := context.Cause(ctx); fault.Is(cause, fault.Timeout) {
				err = cause
			}
			var p problem
			if !errors.As(err, &p) {
				p = problem{wire.NewProblem(err)}
			}
			return nil, p
		}
		return out, nil
	})
	a.routes = append(a.routes, Route{method, pattern, need})
}

// mount registers a handler that reads and answers by itself: a page, a hook, what a probe asks. It is not part of the
// contract.
func (a *api) mount(need access.Need, method, pattern string, limit int64, h http.Handler) {
	p := pattern
	if method != "" {
		p = method + " " + p
	}
	a.mux.Handle(p, a.server.guarded(need, limit, h))
	a.routes = append(a.routes, Route{method, pattern, need})
}

// problem is an error as package huma answers with one.
type problem struct{ wire.Problem }

func (p problem) Error() string  { return p.Detail }
func (p problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (problem) ContentType(string) string { return wire.ProblemType }

// reply is a huma.Context whose status our table of problems decides.
type reply struct {
	request

	status int
}

type request huma.Context

// Unwrap lets package humago find the request.
func (r *reply) Unwrap() huma.Context { return r.request }

// SetStatus implements huma.Context.
func (r *reply) SetStatus(code int) {
	if r.status != 0 {
		code = r.status
	}
	r.request.SetStatus(code)
}

// inOurWords turns what package huma says about a request into a problem of ours. What was sent in a body is not
// repeated: it may hold secrets.
func inOurWords(ctx huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	var errs []error
	for _, d := range e.Errors {
		errs = append(errs, detail(d))
	}
	if len(errs) == 0 {
		errs = append(errs, fault.New(fault.Invalid, "%s", e.Detail))
	}
	p := wire.NewProblem(errors.Join(errs...))
	if len(errs) == 1 {
		p = wire.NewProblem(errs[0])
	}
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		p = wire.NewProblem(fault.New(fault.Limit, "the body is larger than %d bytes", ctx.Operation().MaxBodyBytes-1))
	case http.StatusRequestTimeout:
		p = wire.NewProblem(fault.New(fault.Timeout, "the body did not arrive within %s", readTime))
		p.Status, p.Title = e.Status, http.StatusText(e.Status)
	case http.StatusUnsupportedMediaType:
		p = wire.NewProblem(fault.New(fault.Invalid, "the body is %q", ctx.Header("Content-Type")).WithNext("send application/json"))
	case http.StatusBadRequest:
		if len(e.Errors) == 0 {
			p = wire.NewProblem(fault.New(fault.Invalid, "the body is empty").WithNext("send a JSON object"))
		}
	case http.StatusInternalServerError:
		p = wire.NewProblem(fault.New(fault.Unavailable, "the body could not be read"))
	}
	if r, ok := ctx.(*reply); ok {
		r.status = p.Status
	}
	return p, nil
}

// detail tells of one wrong part of a request: its place, what is wrong, and the value where that was in the address.
func detail(d *huma.ErrorDetail) error {
	place, in, _ := strings.Cut(d.Location, ".")
	switch place {
	case "query", "path", "header":
		if strings.HasPrefix(d.Message, "invalid date/time") {
			return fault.New(fault.Invalid, "%s=%q is not a time", in, asText(d.Value)).WithNext("write it as 2026-01-31T15:04:05Z")
		}
		return fault.New(fault.Invalid, "%s=%q: %s", in, asText(d.Value), d.Message)
	case "body":
		if in == "" {
			return fault.New(fault.Invalid, "the body: %s", d.Message)
		}
		return fault.New(fault.Invalid, "%s: %s", in, d.Message)
	}
	return fault.New(fault.Invalid, "%s", d.Message)
}

func asText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// arrivedKey is where a request keeps what must be done once all of it has arrived. The time for reading it must not go on
// then: when it passes, net/http cancels the request and all that follow on its connection.
type arrivedKey struct{}

// enter is the door of an operation: bounds, who asks, and whether they may.
func (s *server) enter(need access.Need, d about) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(c)
		limit := http.NewResponseController(w)
		now := time.Now()
		_ = limit.SetReadDeadline(now.Add(readTime))
		ctx := r.Context()
		if d.time > 0 {
			_ = limit.SetWriteDeadline(now.Add(d.time + readTime))
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, d.time, fault.New(fault.Timeout, "%s %s took longer than %s", r.Method, r.URL.Path, d.time))
			defer cancel()
		}
		ctx, err := s.admit(ctx, r, need)
		if err == nil {
			err = errors.Join(fits(r, d.body), oneOfEach(r))
		}
		if err != nil {
			fail(w, err)
			return
		}
		ctx = context.WithValue(ctx, arrivedKey{}, func() { _ = limit.SetReadDeadline(time.Time{}) })
		key := r.Header.Get(repeat.Header)
		if key == "" || r.Method == http.MethodGet {
			next(&reply{request: huma.WithContext(c, ctx)})
			return
		}
		ctx = context.WithValue(ctx, onceKey{}, key)
		id := repeat.ID(Asker(ctx).ID, r.Method+" "+r.URL.Path, key)
		err = s.answers.Serve(ctx, id, key, w, r.WithContext(ctx), repeat.Bounds{Body: d.body, Shown: d.shown}, func(w http.ResponseWriter, r *http.Request) {
			next(&reply{request: humago.NewContext(c.Operation(), r, w)})
		})
		if err != nil {
			fail(w, err)
		}
	}
}

type onceKey struct{}

// onceOf gives the idempotency key of a request, made unique to who asks and to what: two people may choose the same one.
func onceOf(ctx context.Context, what string) string {
	key, _ := ctx.Value(onceKey{}).(string)
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(Asker(ctx).ID + "\x00" + what + "\x00" + key))
	return "key-" + hex.EncodeToString(sum[:16])
}

// fits refuses a body that says that it is far too large, before any of it is read. One that is only a little too large is
// read first: whoever sends it hears the answer then.
func fits(r *http.Request, limit int64) error {
	if r.ContentLength > 2*limit {
		return fault.New(fault.Limit, "the body is larger than %d bytes", limit)
	}
	return nil
}

// oneOfEach refuses a query parameter that is given twice: one of the two would be ignored.
func oneOfEach(r *http.Request) error {
	q := r.URL.Query()
	names := make([]string, 0, len(q))
	for name, values := range q {
		if len(values) > 1 {
			names = append(names, strconv.Quote(name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return fault.New(fault.Invalid, "the address says %s more than once", strings.Join(names, ", ")).WithNext("write several values with commas")
}

// guarded is the door of a mounted handler.
func (s *server) guarded(need access.Need, limit int64, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.admit(r.Context(), r, need)
		if err == nil {
			err = fits(r, limit)
		}
		if err != nil {
			fail(w, err)
			return
		}
		control := http.NewResponseController(w)
		now := time.Now()
		_ = control.SetReadDeadline(now.Add(readTime))
		_ = control.SetWriteDeadline(now.Add(answerTime))
		r.Body = &arriving{http.MaxBytesReader(w, r.Body, limit), func() { _ = control.SetReadDeadline(time.Time{}) }}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// arriving is a body that tells when all of it has arrived.
type arriving struct {
	io.ReadCloser

	all func()
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		a.all()
	}
	return n, err
}

// fail answers with an error outside of an operation.
func fail(w http.ResponseWriter, err error) {
	p := wire.NewProblem(err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tend"`)
	}
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	_ = marshal(w, p) // the reader is gone: there is nobody to tell
}
