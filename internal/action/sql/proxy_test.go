package sql_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// cutting says what a proxy does at its mark.
type cutting int

const (
	cutBefore cutting = iota // close both ends before the mark is passed on
	cutAfter                 // pass it on, wait until the server has answered, close the client's end
	cutSilent                // pass it on and never speak to the client again; neither do later connections
)

// proxy stands between a client and a server and breaks the connection when a mark goes by.
type proxy struct {
	t        *testing.T
	listener net.Listener
	to       string
	mark     []byte
	how      cutting

	mu     sync.Mutex
	silent bool
	open   []net.Conn
	wg     sync.WaitGroup
}

func startProxy(t *testing.T, to, mark string, how cutting) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listener: l, to: to, mark: []byte(mark), how: how}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.open {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) port() int {
	a, _ := p.listener.Addr().(*net.TCPAddr)
	return a.Port
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = append(p.open, c)
}

func (p *proxy) isSilent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.silent
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(client)
		if p.isSilent() {
			continue
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.keep(server)
		c := &cut{proxy: p, client: client, server: server}
		p.wg.Go(c.forth)
		p.wg.Go(c.back)
	}
}

// cut is one connection through the proxy.
type cut struct {
	*proxy
	client, server net.Conn

	marked sync.Once
	at     sync.Mutex
	passed bool // the mark went by
}

// forth carries what the client says.
func (c *cut) forth() {
	var seen []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := c.client.Read(buf)
		if n > 0 {
			seen = append(seen, buf[:n]...)
			if bytes.Contains(seen, c.mark) {
				if c.how == cutBefore {
					_ = c.client.Close()
					_ = c.server.Close()
					return
				}
				c.marked.Do(func() {
					c.at.Lock()
					c.passed = true
					c.at.Unlock()
					c.mu.Lock()
					c.silent = c.how == cutSilent
					c.mu.Unlock()
				})
			}
			if _, err := c.server.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = c.server.Close()
			return
		}
	}
}

// back carries what the server says, until the mark went by.
func (c *cut) back() {
	buf := make([]byte, 32<<10)
	for {
		n, err := c.server.Read(buf)
		c.at.Lock()
		passed := c.passed
		c.at.Unlock()
		if n > 0 && !passed {
			if _, err := c.client.Write(buf[:n]); err != nil {
				return
			}
		}
		if passed && c.how == cutAfter {
			_ = c.client.Close()
			_ = c.server.Close()
			return
		}
		if err != nil {
			if !passed {
				_ = c.client.Close()
			}
			_, _ = io.Copy(io.Discard, c.server)
			return
		}
	}
}
