package action

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/tendhq/tend/internal/fault"
)

// Stopped tells why ctx ended, for the Result of an attempt: fault.Timeout or fault.Cancelled and a sentence. A cause of
// type fault.Error speaks for itself. It must be called after ctx ended.
func Stopped(ctx context.Context) (fault.Kind, string) {
	cause := context.Cause(ctx)
	var f *fault.Error
	switch {
	case errors.As(cause, &f):
		return f.Kind, f.Error()
	case errors.Is(cause, context.DeadlineExceeded):
		return fault.Timeout, "the time limit passed"
	case cause == nil || errors.Is(cause, context.Canceled):
		return fault.Cancelled, "cancelled"
	default:
		return fault.Cancelled, "cancelled: " + cause.Error()
	}
}

// NetKind says what kind of trouble a network error is: fault.Refused (by Egress), fault.Timeout, fault.Cancelled,
// fault.TLS, fault.Unreachable (no connection came about) or fault.Lost (it came about and broke).
func NetKind(ctx context.Context, err error) fault.Kind {
	var (
		f        *fault.Error
		op       *net.OpError
		dns      *net.DNSError
		timeout  net.Error
		cert     *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &f):
		return f.Kind
	case ctx.Err() != nil:
		k, _ := Stopped(ctx)
		return k
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert),
		errors.As(err, &unknown), errors.As(err, &hostname), errors.As(err, &invalid):
		return fault.TLS
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // an alert of crypto/tls
		return fault.TLS
	case errors.As(err, &dns):
		return fault.Unreachable
	case errors.As(err, &op) && op.Op == "dial":
		return fault.Unreachable
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fault.Unreachable
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return fault.Timeout
	default:
		return fault.Lost
	}
}
