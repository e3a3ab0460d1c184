package cli_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ask STATUS METHOD URL [BODY] [HEADER:VALUE …] asks a server over HTTP, wants that status, and gives the answer as
// standard output. BODY is the name of a file, or - for none.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ask STATUS METHOD URL [BODY|-] [HEADER:VALUE ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var body []byte
	if len(args) > 3 && args[3] != "-" {
		body = []byte(ts.ReadFile(args[3]))
	}
	req, err := http.NewRequest(args[1], args[2], bytes.NewReader(body)) //nolint:noctx // the client has a time limit
	ts.Check(err)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range args[min(4, len(args)):] {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate is the script's own
	}}
	resp, err := c.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%s\n", bytes.TrimSpace(b))
	ts.Check(err)
	if resp.StatusCode != want {
		ts.Fatalf("%s %s answers %d, want %d:\n%s", args[1], args[2], resp.StatusCode, want, b)
	}
}
