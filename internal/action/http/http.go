// Package http sends HTTP requests.
//
// It refuses what could turn data into something else: line breaks in headers, credentials in URLs, addresses in unusual
// spellings, redirects that nobody allowed. It connects through action.Dialer, which checks the address that was resolved,
// and through no proxy, which would hide that address.
//
// Nothing has happened until a connection stands; what happened afterwards is classified by the effect of the request.
// One request uses one connection, so that nothing is repeated behind the engine's back.
package http

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Action is the action.
type Action struct {
	// Resolver resolves host names; nil is the system's.
	Resolver *net.Resolver
}

// New gives the action.
func New() Action { return Action{} }

// Spec implements action.Action.
func (Action) Spec() contract.Spec { return spec() }

// Run implements action.Action.
func (a Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	if ctx.Err() != nil {
		k, why := action.Stopped(ctx)
		return action.Never(k, why+" before the request was sent")
	}
	in, err := read(req.Inputs)
	if err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	p, err := in.prepare(req)
	if err != nil {
		return action.Never(fault.KindOf(err), err.Error())
	}
	defer p.close()

	ctx, cancel := context.WithTimeoutCause(ctx, in.Timeout, fault.New(fault.Timeout, "no answer within %s", in.Timeout))
	defer cancel()
	x := &exchange{prepared: p, log: log}
	if in.tls.Insecure {
		log("tend", []byte("the server's certificate is not checked: tls.insecure is set\n"))
	}
	return x.run(ctx, a.Resolver)
}

// exchange is one request on its way.
type exchange struct {
	prepared
	log       action.Log
	connected atomic.Bool // a connection stood: from now on the server may have acted
	refused   error       // why a redirect was not followed
	hops      int
}

func (x *exchange) run(ctx context.Context, resolver *net.Resolver) action.Result {
	transport := &http.Transport{
		Proxy:                  nil,
		DialContext:            action.Dialer{Egress: x.egress, Resolver: resolver}.DialContext,
		TLSClientConfig:        x.tls,
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 256 << 10,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: x.redirect}
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) }}
	res, err := client.Do(x.request.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return x.broken(ctx, err, "")
	}
	defer func() { _ = res.Body.Close() }()
	return x.answered(ctx, res)
}

// redirect decides whether to follow. When it does not, the redirect itself is the answer.
func (x *exchange) redirect(next *http.Request, via []*http.Request) error {
	if x.in.Redirects == 0 {
		return http.ErrUseLastResponse
	}
	if len(via) > x.in.Redirects {
		x.refused = fault.New(fault.Refused, "redirected more than %d times", x.in.Redirects)
		return x.refused
	}
	first := via[0].URL
	err := checkURL(next.URL)
	if err == nil {
		err = x.egress.Host(next.URL.Hostname(), port(next.URL))
	}
	if err == nil && first.Scheme == "https" && next.URL.Scheme != "https" {
		err = fault.New(fault.Refused, "redirected from https to http")
	}
	if err != nil {
		x.refused = fault.Wrap(fault.Refused, err, "follow a redirect")
		return x.refused
	}
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		kept := http.Header{}
		for _, name := range []string{"User-Agent", "Accept", "Content-Type"} {
			if v, ok := next.Header[name]; ok && !x.secretHeaders[name] {
				kept[name] = v
			}
		}
		next.Header = kept
		next.Host = ""
	}
	x.log("tend", []byte("following a redirect to "+shown(next.URL, x.in.URL.Secret())+"\n"))
	x.hops++
	return nil
}

// broken classifies an exchange without a whole answer. answer tells what there was of it.
func (x *exchange) broken(ctx context.Context, err error, answer string) action.Result {
	if x.refused != nil {
		return action.Fail(fault.Refused, x.refused.Error())
	}
	kind := action.NetKind(ctx, err)
	var why string
	switch {
	case ctx.Err() != nil:
		kind, why = action.Stopped(ctx)
	case errors.Is(err, http.ErrSchemeMismatch):
		kind, why = fault.TLS, "the server does not speak TLS"
	case kind == fault.Lost && notHTTP(err):
		kind, why = fault.Parse, "what came back is not HTTP"
	default:
		why = x.reason(err)
	}
	switch kind {
	case fault.Timeout, fault.Cancelled, fault.Unreachable, fault.TLS, fault.Parse, fault.Lost:
	case fault.Refused, fault.Invalid:
		if x.hops == 0 {
			return action.Never(kind, why)
		}
		return action.Fail(fault.Refused, why)
	default:
		kind = fault.Lost
	}
	why = x.method + " " + x.where + ": " + why + answer
	connected := x.connected.Load()
	if kind == fault.TLS && connected && x.hops == 0 {
		if connected = !handshakeAlert(err); connected {
			kind = fault.Lost
		}
	}
	switch {
	case !connected:
		if kind == fault.Parse {
			kind = fault.Lost
		}
		return action.Never(kind, why)
	case x.effect == contract.Read:
		if kind == fault.Unreachable || kind == fault.TLS {
			kind = fault.Lost
		}
		return action.Fail(kind, why)
	default:
		return action.Doubt(kind, why+": nobody knows whether the server acted")
	}
}

// reason says what a network error means, without the address in it: that may hold a secret.
func (x *exchange) reason(err error) string {
	var (
		f    *fault.Error
		dns  *net.DNSError
		cert *tls.CertificateVerificationError
		op   *net.OpError
	)
	switch {
	case errors.As(err, &f):
		return f.Error()
	case x.in.URL.Secret():
		return "no connection, or it broke (the address is secret, and so are the details)"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no such host"
	case errors.As(err, &dns):
		return "resolve the name: " + dns.Err
	case errors.As(err, &cert):
		return "check the server's certificate: " + cert.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed the connection"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	default:
		s := err.Error()
		if i := strings.LastIndex(s, "\": "); i >= 0 { // Get "https://…": reason
			s = s[i+3:]
		}
		return action.Clean(s)
	}
}

// notHTTP tells whether something answered that does not speak HTTP, or not well.
func notHTTP(err error) bool {
	s := err.Error()
	for _, sign := range []string{"malformed HTTP", "malformed MIME", "malformed chunked", "unsupported transfer encoding", "bad Content-Length", "server response headers exceeded"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}

// handshakeAlert tells whether the server refused the connection itself. With TLS 1.3 a refused client certificate shows
// only after the client believes that the handshake is over; the server has read no request by then.
func handshakeAlert(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	s := op.Err.Error()
	for _, sign := range []string{"certificate", "handshake failure", "access denied", "protocol version", "unrecognized name"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}
