// Package syslog ships lines to a syslog server in the form of RFC 5424: over TCP or TLS with the length before each message
// (RFC 6587, RFC 5425), or as datagrams over UDP or a Unix socket. The facility is 13 (log audit).
//
// Syslog has no answers: a line counts as taken when the system took it for sending. Over TCP and TLS it is looked at whether
// the other side has closed before anything is sent; what was in flight when a connection broke can be lost.
package syslog

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/sink"
)

// Syslog is a sink.
type Syslog struct {
	network string // tcp, tls, udp, unixgram
	address string
	host    string // of this machine, as messages say it
	tls     *tls.Config
	conn    net.Conn
}

// patience bounds how long connecting and sending may take.
const patience = 10 * time.Second

// largest is how large a datagram may be, in bytes.
const largest = 60 << 10

// Parse reads where a server is: tcp://host:port, tls://host:port, udp://host:port, unix:///path.
func Parse(text string) (network, address string, err error) {
	bad := fault.New(fault.Invalid, "%q is no address of a syslog server", text).
		WithNext("write it as tls://logs.example.org:6514, tcp://…, udp://… or unix:///dev/log")
	u, err := url.Parse(text)
	if err != nil || u.RawQuery != "" || u.User != nil {
		return "", "", bad
	}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			return "", "", bad
		}
		return "unixgram", u.Path, nil
	case "tcp", "tls", "udp":
		if _, _, err := net.SplitHostPort(u.Host); err != nil || strings.Trim(u.Path, "/") != "" {
			return "", "", bad
		}
		return u.Scheme, u.Host, nil
	}
	return "", "", bad
}

// New ships to the server at an address that Parse reads. config is for TLS; nil: the usual one.
func New(text string, config *tls.Config) (*Syslog, error) {
	network, address, err := Parse(text)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	return &Syslog{network: network, address: address, host: word(host, 255), tls: config}, nil
}

// Write implements sink.Sink.
func (s *Syslog) Write(ctx context.Context, lines []sink.Line) error {
	err := s.write(ctx, lines)
	if err != nil {
		_ = s.Close()
		return fault.Wrap(fault.Unavailable, err, "send to syslog at %s", s.address)
	}
	return nil
}

func (s *Syslog) write(ctx context.Context, lines []sink.Line) error {
	if s.conn != nil && s.stream() && gone(s.conn) {
		_ = s.Close()
	}
	if err := s.dial(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetDeadline(time.Now()) })
	defer stop()
	var all []byte
	for i := range lines {
		m := s.message(&lines[i])
		if s.stream() {
			all = append(strconv.AppendInt(all, int64(len(m)), 10), ' ')
			all = append(all, m...)
			continue
		}
		if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := s.conn.Write(m); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := s.conn.Write(all)
	return err
}

// stream tells whether messages need a length before them.
func (s *Syslog) stream() bool { return s.network == "tcp" || s.network == "tls" }

func (s *Syslog) dial(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	d := &net.Dialer{Timeout: patience}
	var err error
	if s.network == "tls" {
		s.conn, err = (&tls.Dialer{NetDialer: d, Config: s.tls}).DialContext(ctx, "tcp", s.address)
	} else {
		s.conn, err = d.DialContext(ctx, s.network, s.address)
	}
	if err != nil {
		s.conn = nil // a typed nil would count as a connection
	}
	return err
}

// gone tells whether the other side has closed a connection on which it never says anything.
func gone(c net.Conn) bool {
	if c.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return true
	}
	var b [1]byte
	_, err := c.Read(b[:])
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// message writes a line: <priority>version time host program process kind data text.
func (s *Syslog) message(l *sink.Line) []byte {
	priority := 13*8 + 6
	if l.Warn {
		priority = 13*8 + 4
	}
	text := l.Text
	if !s.stream() && len(text) > largest {
		text = cut(l)
	}
	b := append([]byte{'<'}, strconv.Itoa(priority)...)
	b = append(b, ">1 "...)
	b = l.At.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, ' ')
	b = append(b, s.host...)
	b = append(b, " tend "...)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(b, ' ')
	b = append(b, word(l.Name, 32)...)
	b = append(b, " - "...)
	return append(b, text...)
}

// cut leaves the payload of a line out, which is too large for a datagram.
func cut(l *sink.Line) string {
	var all map[string]json.RawMessage
	short := map[string]any{"cut": true, "stream": l.Stream, "seq": l.Seq}
	if json.Unmarshal([]byte(l.Text), &all) == nil {
		for k, v := range all {
			if len(v) < largest/32 {
				short[k] = v
			}
		}
	}
	b, err := json.Marshal(short)
	if err != nil {
		return `{"cut":true}`
	}
	return string(b)
}

// word is a text as a field of a header: printable, without spaces, not too long.
func word(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), longest)]
}

// Close implements sink.Sink.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
