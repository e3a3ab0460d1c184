package cli_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// collector FILE starts something that takes traces and metrics by OTLP over HTTP, and heartbeats at /beat, and makes its
// address $COLLECTOR. What it takes is appended to FILE, as it is and in hex: names of spans can be read, and ids be found. Of
// what is sent to /take/… a line says where to, with which token, what, and in which trace.
func collector(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: collector FILE")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		want := map[string]string{"/v1/traces": http.MethodPost, "/v1/metrics": http.MethodPost, "/beat": http.MethodGet}
		if r.URL.Path == "/beat" {
			b = []byte("beat " + time.Now().UTC().Format(time.StampMilli))
		}
		if strings.HasPrefix(r.URL.Path, "/take/") {
			want[r.URL.Path] = r.Method
			b = fmt.Appendf(nil, "took %s %s %s %s (trace %s)", r.Method, r.URL.Path, r.Header.Get("Authorization"), b, r.Header.Get("Traceparent"))
		}
		if err != nil || r.Method != want[r.URL.Path] {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		_, _ = f.WriteString(string(b) + "\n" + hex.EncodeToString(b) + "\n")
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	ts.Defer(func() {
		s.Close()
		_ = f.Close()
	})
	ts.Setenv("COLLECTOR", s.URL)
}
