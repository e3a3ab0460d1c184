package http_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/actiontest"
	"github.com/tendhq/tend/internal/contract"

	httpaction "github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

const planted = "pl4nted-s3cret/+value"

// site answers by path.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	stop := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "fine")
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"n": 9007199254740993, "f": 1.5}`)
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		w.Header().Set("Retry-After", "7")
		http.Error(w, "this is  why", code)
	})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/drop", func(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			_, _ = w.Write(make([]byte, 64<<10))
		}
	})
	mux.HandleFunc("/binary", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0xfe, 0, 1, 'a'}) })
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(stop) })
	return s
}

// raw is a server that does with each connection what f says.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				f(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func with(inputs map[string]any) func(t *testing.T) action.Request {
	return func(t *testing.T) action.Request {
		t.Helper()
		method, _ := inputs["method"].(string)
		effect := httpaction.New().Spec().EffectOf(map[string]any{"method": method})
		return action.Request{
			Run: "run_1", Step: "steps[0]", Attempt: 1, Key: "key-1", Action: "http", Effect: effect, Inputs: inputs,
			Dir: t.TempDir(), Work: t.TempDir(), Egress: action.Local(),
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s := site(t)
	tlsSite := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tlsSite.Close)
	tlsSite.Config.ErrorLog = quiet()
	noHTTP := raw(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1000))
		_, _ = io.WriteString(c, "+PONG\r\n")
	})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(path string, more ...any) map[string]any {
		in := map[string]any{"url": s.URL + path}
		for i := 0; i < len(more); i += 2 {
			in[more[i].(string)] = more[i+1]
		}
		return in
	}
	post := func(path string, more ...any) map[string]any { return get(path, append(more, "method", "POST")...) }
	end := func(name string, in map[string]any, o action.Outcome, k fault.Kind, message string) actiontest.Case {
		return actiontest.Case{Name: name, Request: with(in), Want: o, Kind: k, Check: func(t *testing.T, r action.Result, _ string) {
			t.Helper()
			if !strings.Contains(r.Message, message) {
				t.Errorf("the message does not say %q: %s", message, r.Message)
			}
		}}
	}
	const (
		ok     = action.Succeeded
		failed = action.Failed
		never  = action.NotStarted
		doubt  = action.InDoubt
	)
	cases := []actiontest.Case{
		end("get", get("/ok"), ok, "", ""),
		end("head", get("/ok", "method", "HEAD"), ok, "", ""),
		end("file", post("/ok", "file", file), ok, "", ""),
		end("an expected 404", get("/status/404", "expect", []any{int64(200), "4xx"}), ok, "", ""),
		end("binary", get("/binary"), ok, "", ""),
		end("404", get("/status/404"), failed, fault.Status, "404 Not Found: this is why"),
		end("an unexpected 200", get("/ok", "expect", []any{"201-204"}), failed, fault.Status, "200"),
		end("401", get("/status/401"), failed, fault.Auth, "401"),
		end("429", get("/status/429"), failed, fault.RateLimited, "429"),
		end("503", get("/status/503"), failed, fault.Unavailable, "503"),
		end("500 to a post", post("/status/500"), failed, fault.Status, "500"),
		end("503 to a post", post("/status/503"), failed, fault.Unavailable, "503"),
		end("502 to a get", get("/status/502"), failed, fault.Unavailable, "502"),
		end("502 to a post", post("/status/502"), doubt, fault.Status, "gateway"),
		end("504 to a put", get("/status/504", "method", "PUT"), doubt, fault.Status, "gateway"),
		end("408 to a patch", get("/status/408", "method", "PATCH"), doubt, fault.Status, "gateway"),
		end("a dropped get", get("/drop"), failed, fault.Lost, "closed the connection"),
		end("a dropped post", post("/drop"), doubt, fault.Lost, "nobody knows"),
		end("half an answer to a get", get("/half"), failed, fault.Lost, "after the status 200"),
		end("half an answer to a post", post("/half"), doubt, fault.Lost, "after the status 200"),
		end("a get without an answer", get("/hang", "timeout", "100ms"), failed, fault.Timeout, "no answer within 100ms"),
		end("a post without an answer", post("/hang", "timeout", "100ms"), doubt, fault.Timeout, "no answer within 100ms"),
		end("no HTTP to a get", map[string]any{"url": noHTTP}, failed, fault.Parse, "not HTTP"),
		end("no HTTP to a post", map[string]any{"url": noHTTP, "method": "POST"}, doubt, fault.Parse, "not HTTP"),
		end("a redirect", get("/to", "query", map[string]any{"url": "/ok"}), failed, fault.Status, "which is not followed"),
		end("a followed redirect", get("/to", "redirects", int64(1), "query", map[string]any{"url": "/ok"}), ok, "", ""),
		end("a circle", get("/to", "redirects", int64(3), "query", map[string]any{"url": "/to?url=%2Fto"}), failed, fault.Status, ""),
		end("a redirect to metadata", get("/to", "redirects", int64(3), "query", map[string]any{"url": "http://169.254.169.254/latest"}), failed, fault.Refused, "never reached"),
		end("a redirect to a file", get("/to", "redirects", int64(3), "query", map[string]any{"url": "file:///etc/passwd"}), failed, fault.Refused, "scheme"),
		end("a redirect with credentials", get("/to", "redirects", int64(3), "query", map[string]any{"url": "http://a:b@127.0.0.1/"}), failed, fault.Refused, "credentials"),

		end("nobody listens", map[string]any{"url": "http://" + closedPort(t), "method": "POST"}, never, fault.Unreachable, "refused"),
		end("no such host", map[string]any{"url": "http://nothing.invalid/", "method": "POST"}, never, fault.Unreachable, ""),
		end("an unknown certificate", map[string]any{"url": tlsSite.URL, "method": "POST"}, never, fault.TLS, "certificate"),
		end("TLS where there is none", map[string]any{"url": strings.Replace(s.URL, "http:", "https:", 1)}, never, fault.TLS, ""),
		end("metadata", map[string]any{"url": "http://169.254.169.254/latest/meta-data"}, never, fault.Refused, "never reached"),
		end("metadata by name", map[string]any{"url": "http://metadata.google.internal./"}, never, fault.Refused, "metadata"),
		end("no url", map[string]any{}, never, fault.Invalid, "url is empty"),
		end("another scheme", map[string]any{"url": "file:///etc/passwd"}, never, fault.Invalid, "scheme"),
		end("credentials in the url", map[string]any{"url": "http://user:pw@127.0.0.1/"}, never, fault.Invalid, "credentials"),
		end("a backslash", map[string]any{"url": `http://127.0.0.1\@example.com/`}, never, fault.Invalid, "backslash"),
		end("a line break in a header", get("/ok", "headers", map[string]any{"X": "a\r\nY: b"}), never, fault.Invalid, "line break"),
		end("a header of the protocol", get("/ok", "headers", map[string]any{"transfer-encoding": "chunked"}), never, fault.Invalid, "belongs to the protocol"),
		end("two bodies", post("/ok", "body", "a", "json", true), never, fault.Invalid, "more than one"),
		end("a segment that climbs", get("/ok", "path", []any{".."}), never, fault.Invalid, "path[0]"),
		end("a status that is none", get("/ok", "expect", []any{"fine"}), never, fault.Invalid, "not a status"),
		end("a wrong authority", get("/ok", "tls", map[string]any{"ca": "x"}), never, fault.Invalid, "PEM"),
		end("an unknown key in tls", get("/ok", "tls", map[string]any{"verify": false}), never, fault.Invalid, "no such input"),
		end("no file", post("/ok", "file", "nothing"), never, fault.Missing, "not there"),
		end("a device as a file", post("/ok", "file", "/dev/zero"), never, fault.Missing, "regular"),
		{
			Name: "JSON", Request: with(get("/json")), Want: ok, Check: func(t *testing.T, r action.Result, _ string) {
				t.Helper()
				if d := cmp.Diff(map[string]any{"n": int64(9007199254740993), "f": 1.5}, r.Output["json"]); d != "" {
					t.Error(d)
				}
			},
		},
		{
			Name: "a long answer", Request: with(get("/long")), Want: ok, Check: func(t *testing.T, r action.Result, log string) {
				t.Helper()
				if r.Output["truncated"] != true || len(r.Output["body"].(string)) != 1<<20 || !strings.Contains(log, "left out") {
					t.Errorf("truncated %v, log %q", r.Output["truncated"], log)
				}
			},
		},
		{
			Name: "Retry-After", Request: with(get("/status/503")), Want: failed, Kind: fault.Unavailable,
			Check: func(t *testing.T, r action.Result, _ string) {
				t.Helper()
				if r.After != 7*time.Second {
					t.Errorf("after %v", r.After)
				}
			},
		},
	}
	hidden := secret.New(planted)
	for _, path := range []string{"/ok", "/hang", "/drop", "/half", "/status/500"} {
		want, kind := doubt, fault.Lost
		switch path {
		case "/ok":
			want, kind = ok, ""
		case "/hang":
			kind = fault.Timeout
		case "/status/500":
			want, kind = failed, fault.Status
		}
		for name, in := range map[string]map[string]any{
			"in every slot": post(path, "timeout", "300ms", "path", []any{}, "query", map[string]any{"k": hidden}, "json", map[string]any{"k": hidden},
				"headers", map[string]any{"X-Key": hidden}, "auth", map[string]any{"bearer": hidden}),
			"in the password": post(path, "timeout", "300ms", "form", map[string]any{"k": []any{hidden}}, "auth", map[string]any{"username": "me", "password": hidden}),
			"in the address":  {"url": secret.New(s.URL + path + "?k=" + planted), "method": "POST", "timeout": "300ms"},
		} {
			cases = append(cases, actiontest.Case{Name: "planted " + name + " " + path, Request: with(in), Want: want, Kind: kind, Secrets: []string{planted, s.URL + path + "?k=" + planted}})
		}
	}
	cases = append(cases, actiontest.Case{
		Name: "planted in a host that is not there", Want: never, Kind: fault.Unreachable, Secrets: []string{"s3cret-host.invalid"},
		Request: with(map[string]any{"url": secret.New("http://s3cret-host.invalid/x")}),
	}, actiontest.Case{
		Name: "planted in a segment", Want: failed, Kind: fault.Status, Secrets: []string{planted}, Request: with(get("", "path", []any{hidden})),
	}, actiontest.Case{
		Name: "planted where it cannot be used", Want: never, Kind: fault.Invalid, Secrets: []string{planted},
		Request: with(get("/ok", "headers", map[string]any{"X": secret.New(planted + "\n")}, "auth", map[string]any{"bearer": secret.New(planted + " ")}, "method", "CONNECT", "expect", []any{hidden})),
	})
	actiontest.Run(t, httpaction.New(), actiontest.Suite{
		Cases: cases,
		Hang:  with(post("/hang")),
		Tame:  func(req *action.Request) { req.Egress = action.Egress{Loopback: true} },
	})
}

func TestEffectFollowsFromTheMethod(t *testing.T) {
	t.Parallel()
	f := httpaction.New().Spec().EffectOf
	for method, want := range map[any]contract.Effect{
		nil: contract.Read, "": contract.Read, "get": contract.Read, "HEAD": contract.Read, "OPTIONS": contract.Read,
		"PUT": contract.Idempotent, "delete": contract.Idempotent,
		"POST": contract.Mutate, "PATCH": contract.Mutate, "PURGE": contract.Mutate, "{{ .m }}": contract.Mutate, 7: contract.Mutate,
	} {
		if got := f(map[string]any{"method": method}); got != want {
			t.Errorf("%v is %s", method, got)
		}
	}
}

// heard starts a server that tells what it heard.
func heard(t *testing.T) (address string, last func() *http.Request, body func() string) {
	t.Helper()
	requests := make(chan *http.Request, 10)
	bodies := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		requests <- r
		bodies <- string(b)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() *http.Request { return <-requests }, func() string { return <-bodies }
}

func run(t *testing.T, inputs map[string]any) action.Result {
	t.Helper()
	return httpaction.New().Run(t.Context(), with(inputs)(t), func(string, []byte) {})
}

func TestWhatTheServerHears(t *testing.T) {
	t.Parallel()
	address, last, body := heard(t)
	r := run(t, map[string]any{
		"url": address + "/api/?fixed=1", "method": "post", "path": []any{"a/b", "ü&x=1", int64(7)},
		"query":   map[string]any{"q": "x&admin=1#", "list": []any{"1", int64(2)}, "none": nil},
		"headers": map[string]any{"x-key": "v", "Host": "virtual.example.com"},
		"json":    map[string]any{"k": secret.New("hidden-value"), "n": int64(1)},
		"auth":    map[string]any{"username": "me", "password": secret.New("pässword")},
	})
	if r.Outcome != action.Succeeded {
		t.Fatal(r.Message)
	}
	got := last()
	if want := "/api/a%2Fb/%C3%BC&x=1/7?fixed=1&list=1&list=2&q=x%26admin%3D1%23"; got.RequestURI != want {
		t.Errorf("address\n%s, not\n%s", got.RequestURI, want)
	}
	user, password, _ := got.BasicAuth()
	if got.Method != "POST" || got.Host != "virtual.example.com" || got.Header.Get("X-Key") != "v" || user != "me" || password != "pässword" {
		t.Errorf("%s %s %v", got.Method, got.Host, got.Header)
	}
	if got.Header.Get("Idempotency-Key") != "key-1" || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("User-Agent") != "tend" {
		t.Errorf("%v", got.Header)
	}
	if b := body(); b != `{"k":"hidden-value","n":1}` {
		t.Errorf("body %s", b)
	}
	run(t, map[string]any{"url": address, "auth": map[string]any{"bearer": secret.New("a-token")}})
	if got = last(); got.Header.Get("Authorization") != "Bearer a-token" || got.Header.Get("Idempotency-Key") != "" {
		t.Errorf("%v", got.Header)
	}
}

func TestARedirectElsewhereLosesTheCredentials(t *testing.T) {
	t.Parallel()
	address, last, _ := heard(t)
	s := site(t)
	for range 2 {
		r := run(t, map[string]any{
			"url": s.URL + "/to", "query": map[string]any{"url": address}, "redirects": int64(2),
			"headers": map[string]any{"X-Api-Key": secret.New("the-key-of-it"), "Cookie": "a=b", "Accept": "text/plain"},
			"auth":    map[string]any{"bearer": secret.New("a-token")},
		})
		if r.Outcome != action.Succeeded {
			t.Fatal(r.Message)
		}
		got := last().Header
		for _, name := range []string{"X-Api-Key", "Cookie", "Authorization", "Referer"} {
			if got.Get(name) != "" {
				t.Errorf("%s was sent to another origin: %v", name, got)
			}
		}
		if got.Get("Accept") != "text/plain" {
			t.Errorf("%v", got)
		}
	}
}

func TestNothingIsRepeatedBehindTheEnginesBack(t *testing.T) {
	t.Parallel()
	counted := make(chan struct{}, 10)
	address := raw(t, func(c net.Conn) {
		if n, _ := c.Read(make([]byte, 1000)); n > 0 {
			counted <- struct{}{}
		}
	})
	if r := run(t, map[string]any{"url": address, "method": "POST", "body": "x"}); r.Outcome != action.InDoubt {
		t.Fatalf("%s: %s", r.Outcome, r.Message)
	}
	if n := len(counted); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestEnvironmentProxiesAreIgnored(t *testing.T) {
	address, last, _ := heard(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	if r := run(t, map[string]any{"url": address}); r.Outcome != action.Succeeded {
		t.Fatal(r.Message)
	}
	last()
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = quiet()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(cert))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))

	with := map[string]any{"ca": ca, "cert": cert, "key": secret.New(key), "serverName": "example.com"}
	if r := run(t, map[string]any{"url": s.URL, "method": "POST", "tls": with}); r.Outcome != action.Succeeded {
		t.Errorf("with a certificate: %s", r.Message)
	}
	// The server refuses after the client believes that the handshake is over; it has read no request.
	r := run(t, map[string]any{"url": s.URL, "method": "POST", "tls": map[string]any{"ca": ca, "serverName": "example.com"}})
	if r.Outcome != action.NotStarted || r.Kind != fault.TLS {
		t.Errorf("without a certificate: %s %s: %s", r.Outcome, r.Kind, r.Message)
	}
	r = run(t, map[string]any{"url": s.URL, "tls": map[string]any{"ca": ca, "serverName": "other.example.org", "cert": cert, "key": key}})
	if r.Outcome != action.NotStarted || r.Kind != fault.TLS {
		t.Errorf("with another name: %s %s: %s", r.Outcome, r.Kind, r.Message)
	}
	if r := run(t, map[string]any{"url": s.URL, "tls": map[string]any{"insecure": true, "cert": cert, "key": key}}); r.Outcome != action.Succeeded {
		t.Errorf("insecure: %s", r.Message)
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pk, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}))
}

func TestHangingTLSHandshakeEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	address := raw(t, func(net.Conn) { <-release })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r := httpaction.New().Run(ctx, with(map[string]any{"url": strings.Replace(address, "http:", "https:", 1), "method": "POST"})(t), func(string, []byte) {})
	if r.Outcome != action.NotStarted || r.Kind != fault.Timeout {
		t.Errorf("%s %s: %s", r.Outcome, r.Kind, r.Message)
	}
}
