package httpapi_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/httpapi"
)

// pipes is a listener whose connections are in memory, so that their deadlines follow the time of a bubble.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.ended:
	default:
		close(p.ended)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestFollowersStay: who follows a run of which nothing is heard for a long time is told that it still goes on.
func TestFollowersStay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		id, err := e.Start(t.Context(), engine.Start{Program: compile(t, "  - {uses: wait, with: {duration: 1h}}\n")})
		if err != nil {
			t.Fatal(err)
		}
		l := &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- httpapi.Serve(ctx, l, httpapi.Handler(httpapi.Config{Engine: e, Gate: &doorman{may: everybody}}))
		}()
		here, there := net.Pipe()
		l.conns <- there
		if _, err := io.WriteString(here, "GET /v1/runs/"+id+"/follow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		began, beats := time.Now(), 0
		lines := bufio.NewScanner(here)
		for beats < 20 && lines.Scan() {
			if strings.HasPrefix(lines.Text(), ": still here") {
				beats++
			}
		}
		if took := time.Since(began); beats < 20 || took < 4*time.Minute {
			t.Errorf("the stream was over after %s, with %d signs of life", took, beats)
		}
		_ = here.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSlowClientsAreLetGo: one that does not say what it wants, one that does not send what it said, and one that does not
// read, each after a time.
func TestSlowClientsAreLetGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrote := make(chan error, 1)
		c := httpapi.Config{
			Engine: newEngine(t), Gate: &doorman{may: everybody},
			Mounts: []httpapi.Mount{{
				Method: "GET", Pattern: "/much", Need: access.Need{Verb: access.Nothing},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					var err error
					for err == nil {
						_, err = w.Write(make([]byte, 64<<10))
					}
					wrote <- err
				}),
			}},
		}
		l := &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- httpapi.Serve(ctx, l, httpapi.Handler(c)) }()
		dial := func(text string) net.Conn {
			here, there := net.Pipe()
			l.conns <- there
			if _, err := io.WriteString(here, text); err != nil {
				t.Error(err)
			}
			return here
		}
		const head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann\r\nContent-Type: application/json\r\n"

		began := time.Now()
		conn := dial("POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthor")
		if _, err := io.ReadAll(conn); err != nil {
			t.Errorf("half a head: %v", err)
		}
		if took := time.Since(began); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("half a head was waited for %s", took)
		}

		began = time.Now()
		conn = dial(head + "Content-Length: 1000\r\n\r\n{")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("half a body: %v", err)
		}
		_ = conn.Close()
		if took := time.Since(began); resp.StatusCode != http.StatusRequestTimeout || took < 29*time.Second || took > 32*time.Second {
			t.Errorf("half a body: %d after %s", resp.StatusCode, took)
		}

		began = time.Now()
		conn = dial("GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-wrote; err == nil {
			t.Errorf("a client that does not read: %v", err)
		}
		if took := time.Since(began); took < time.Minute || took > 3*time.Minute {
			t.Errorf("a client that does not read was waited for %s", took)
		}
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
