// Package fault is the one error type of tend: a kind for machines, a message for people, a next step, and the cause
// for operators.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong, for machines. Playbooks name kinds in `retry.on`; the command line maps them to exit codes.
type Kind string

// The kinds. The first group is about requests to tend, the second about what an action met.
const (
	Invalid     Kind = "invalid"     // the input is wrong
	NotFound    Kind = "not-found"   // no such thing, or not yours to see
	Conflict    Kind = "conflict"    // somebody else changed it first
	Refused     Kind = "refused"     // a rule or a role says no
	Unavailable Kind = "unavailable" // cannot be done now: owner gone, disk full, halted
	Damaged     Kind = "damaged"     // stored data does not verify
	Newer       Kind = "newer"       // written by a newer version
	Internal    Kind = "internal"    // a bug in tend

	Timeout     Kind = "timeout"     // no answer in time
	Cancelled   Kind = "cancelled"   // stopped on request
	Unreachable Kind = "unreachable" // no connection: DNS, refused, no route
	TLS         Kind = "tls"         // certificate or handshake
	Auth        Kind = "auth"        // credentials refused, unknown host key
	Exit        Kind = "exit"        // a program ended with an unexpected code
	Killed      Kind = "killed"      // a program was ended by a signal
	Status      Kind = "status"      // an unexpected HTTP status
	RateLimited Kind = "rate-limited"
	Parse       Kind = "parse"      // the answer could not be read
	Missing     Kind = "missing"    // a program, file or secret is not there
	Verify      Kind = "verify"     // the effect did not show
	Assert      Kind = "assert"     // an assertion does not hold
	Fail        Kind = "fail"       // the playbook said so
	Expr        Kind = "expression" // a template or condition could not be evaluated
	Rejected    Kind = "rejected"   // a person said no, or nobody answered
	Guarded     Kind = "guarded"    // a guard said no
	Stopped     Kind = "stopped"    // a block's stopWhen held
	Lost        Kind = "lost"       // the connection or the process that knew the outcome is gone
	Limit       Kind = "limit"      // a bound of tend was reached
	Query       Kind = "query"      // a database refused the statement
)

// Error is an error with a kind. Message is a sentence for people; Next, when set, is what to do about it.
type Error struct {
	Kind    Kind
	Message string
	Next    string
	Err     error
}

// New builds an error of a kind.
func New(k Kind, format string, a ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, a...)}
}

// Wrap gives err a kind and says in the imperative what was being done. A nil err gives nil.
func Wrap(k Kind, err error, format string, a ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Message: fmt.Sprintf(format, a...), Err: err}
}

// WithNext says what to do about it and returns e.
func (e *Error) WithNext(format string, a ...any) *Error {
	e.Next = fmt.Sprintf(format, a...)
	return e
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the kind of err: the outermost Error's, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// NextOf finds the first next step in err's chain, or "".
func NextOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Next != "" {
			return e.Next
		}
		err = e.Err
	}
	return ""
}

// Is tells whether err is of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
