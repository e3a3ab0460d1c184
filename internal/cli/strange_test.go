package cli_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/rogpeppe/go-internal/testscript"
)

// strange starts servers of which nothing good comes, and makes their addresses variables: $SILENT takes calls and never
// says a word, $PLAIN speaks no TLS, and $UNKNOWN has a certificate that nobody vouches for.
func strange(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: strange")
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed with the script
	ts.Check(err)
	ts.Defer(func() { _ = silent.Close() })
	ts.Setenv("SILENT", silent.Addr().String())

	plain := httptest.NewServer(http.NotFoundHandler())
	ts.Defer(plain.Close)
	ts.Setenv("PLAIN", plain.Listener.Addr().String())

	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	ts.Defer(unknown.Close)
	ts.Setenv("UNKNOWN", unknown.Listener.Addr().String())
}
