// Package email tells messages by e-mail: one plain text each, in threads, through a mail server that speaks TLS.
//
// The Message-ID derives from the message, so that a mail that is sent again (nobody knows whether the first was taken) is
// the same mail for those who look. Mail servers need not: a mail can come twice, but does not get lost. A mail is for all
// of its recipients or for none.
package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/secret"
)

// Config says through which server mails go.
type Config struct {
	Host     string
	Port     int    // 0: 587, or 465 when TLS is implicit
	TLS      TLS    // "": StartTLS
	User     string // "": without a login
	Password secret.Value
	From     string // an address, with or without a name
	To       []string
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: the system's
	Roots    *x509.CertPool                                                       // nil: the system's
	Timeout  time.Duration                                                        // 0: 30 seconds
}

// TLS is how a connection is protected.
type TLS string

// The ways.
const (
	StartTLS TLS = "starttls"
	Implicit TLS = "implicit"
	None     TLS = "none" // for a server on the same machine
)

// Sender tells by mail.
type Sender struct{ c Config }

var _ message.Sender = (*Sender)(nil)

// New makes a sender.
func New(c Config) *Sender {
	if c.Port == 0 {
		c.Port = 587
		if c.TLS == Implicit {
			c.Port = 465
		}
	}
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return &Sender{c}
}

// Send implements message.Sender. Remote has the Message-ID.
func (s *Sender) Send(ctx context.Context, m message.Message) message.Result {
	if ctx.Err() != nil {
		return message.Not(exchange.Broken(ctx, ctx.Err(), "mail", false))
	}
	m = m.Bound()
	mid, msg, err := s.write(m)
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "mail: %s", err))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.c.Timeout, fault.New(fault.Timeout, "no answer within %s", s.c.Timeout))
	defer cancel()
	var stop func() bool
	client, err := mail.NewClient(s.c.Host, s.options(func(c net.Conn) {
		stop = context.AfterFunc(ctx, func() { _ = c.Close() })
	})...)
	if err != nil {
		return message.Not(exchange.Never(fault.Invalid, "mail: the mail server's settings cannot be used"))
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if stop != nil {
		defer stop()
	}
	if err != nil {
		return message.Not(greeted(ctx, err))
	}
	err = client.SendWithSMTPClient(conn, msg)
	_ = conn.Quit() // it was taken or not; how one parts does not change that
	if err != nil && !msg.IsDelivered() {
		return message.Not(s.refused(ctx, err))
	}
	return message.Sent(map[string]any{"messageId": mid})
}

// write makes the mail.
func (s *Sender) write(m message.Message) (string, *mail.Msg, error) {
	from, err := netmail.ParseAddress(s.c.From)
	if err != nil {
		return "", nil, errors.New("the address of the sender cannot be read")
	}
	list := m.To
	if len(list) == 0 {
		list = s.c.To
	}
	if len(list) == 0 {
		return "", nil, errors.New("there is nobody to send to")
	}
	msg := mail.NewMsg()
	msg.FromMailAddress(from)
	to := make([]*netmail.Address, len(list))
	for i, a := range list {
		if to[i], err = netmail.ParseAddress(a); err != nil {
			return "", nil, errors.New("the address " + strconv.Quote(a) + " cannot be read")
		}
	}
	msg.ToMailAddress(to...)
	if m.Title == "" || m.ID == "" {
		return "", nil, errors.New("a mail without a subject")
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	mid := safe(m.ID) + "@" + domain
	msg.SetMessageIDWithValue(mid)
	msg.SetDateWithValue(m.At)
	msg.Subject(m.Title)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Tend-Message", safe(m.ID))
	if first, ok := m.First["messageId"].(string); ok && strings.Contains(first, "@") && !strings.ContainsAny(first, "<> \r\n") {
		msg.SetGenHeaderPreformatted("In-Reply-To", "<"+first+">")
		msg.SetGenHeaderPreformatted("References", "<"+first+">")
	}
	msg.SetBodyString(mail.TypeTextPlain, m.Plain()+"\n")
	return mid, msg, nil
}

// safe keeps what may stand in a header without quoting.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, s)
}

func (s *Sender) options(connected func(net.Conn)) []mail.Option {
	conf := &tls.Config{ServerName: s.c.Host, RootCAs: s.c.Roots, MinVersion: tls.VersionTLS12}
	o := []mail.Option{
		mail.WithPort(s.c.Port), mail.WithTimeout(s.c.Timeout), mail.WithTLSConfig(conf), mail.WithoutNoop(), mail.WithTLSPolicy(mail.NoTLS),
		mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := s.c.Dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			connected(c)
			if s.c.TLS != Implicit {
				return c, nil
			}
			t := tls.Client(c, conf)
			return t, t.HandshakeContext(ctx)
		}),
	}
	if s.c.TLS == StartTLS || s.c.TLS == "" {
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.c.User != "" {
		auth := mail.SMTPAuthAutoDiscover
		if s.c.TLS == None {
			auth = mail.SMTPAuthPlainNoEnc
		}
		o = append(o, mail.WithSMTPAuth(auth), mail.WithUsername(s.c.User), mail.WithPassword(s.c.Password.Reveal()))
	}
	return o
}

// greeted classifies what went wrong before the mail was spoken of.
func greeted(ctx context.Context, err error) exchange.End {
	switch code := codeOf(err); {
	case code == 535 || code == 534 || code == 530 || code == 538:
		return exchange.Failed(fault.Auth, "mail: the server refuses the login (%d)", code)
	case code >= 400:
		return exchange.Failed(fault.Unavailable, "mail: the server answered %d", code)
	}
	return exchange.Broken(ctx, err, "mail", false)
}

// refused classifies what became of a mail that was not taken. Only when its end was sent and nobody answered is it in doubt.
func (s *Sender) refused(ctx context.Context, err error) exchange.End {
	var e *mail.SendError
	if !errors.As(err, &e) {
		return exchange.Broken(ctx, err, "mail", true)
	}
	code := e.ErrorCode()
	switch {
	case code >= 500 && e.Reason == mail.ErrSMTPRcptTo:
		return exchange.Failed(fault.Invalid, "mail: the server does not take mail for a recipient (%d)", code)
	case code >= 500:
		return exchange.Failed(fault.Invalid, "mail: the server does not take the mail (%d)", code)
	case code >= 400:
		return exchange.Failed(fault.Unavailable, "mail: the server asks to try again (%d)", code)
	case e.Reason == mail.ErrSMTPDataClose:
		return exchange.Broken(ctx, err, "mail", true)
	default:
		end := exchange.Broken(ctx, err, "mail", true)
		end.Outcome, end.Why = entry.Failed, "mail: the conversation broke before the mail was sent"
		return end
	}
}

// codeOf finds the code that a server answered with.
func codeOf(err error) int {
	var e interface{ ErrorCode() int }
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	text := err.Error()
	for i := 0; i+4 <= len(text); i++ {
		if n, err := strconv.Atoi(text[i : i+3]); err == nil && n >= 400 && n < 600 && text[i+3] == ' ' && (i == 0 || text[i-1] == ' ') {
			return n
		}
	}
	return 0
}
