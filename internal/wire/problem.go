package wire

import (
	"errors"
	"net/http"

	"github.com/tendhq/tend/internal/fault"
)

// ProblemType is the media type of errors (RFC 9457).
const ProblemType = "application/problem+json"

// Problem is an error on its way. Kind is for machines, Detail for people, Next is what to do about it.
type Problem struct {
	Detail string     `json:"detail"`
	Errors []Problem  `json:"errors,omitempty"` // all of them, where there are several
	Kind   fault.Kind `json:"kind"`
	Next   string     `json:"next,omitempty"`
	Status int        `json:"status"`
	Title  string     `json:"title"`
	Type   string     `json:"type"`
}

// status is the one table of kinds and HTTP statuses. What is not in it is 500.
func status(k fault.Kind) int {
	switch k {
	case fault.Invalid, fault.Parse, fault.Expr:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Auth:
		return http.StatusUnauthorized
	case fault.Conflict:
		return http.StatusConflict
	case fault.Refused, fault.Guarded, fault.Rejected:
		return http.StatusForbidden
	case fault.Missing, fault.Newer:
		return http.StatusUnprocessableEntity
	case fault.Unavailable, fault.Cancelled:
		return http.StatusServiceUnavailable
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Limit:
		return http.StatusRequestEntityTooLarge
	case fault.Timeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// NewProblem tells err as a problem.
func NewProblem(err error) Problem {
	k := fault.KindOf(err)
	p := Problem{
		Detail: err.Error(), Kind: k, Next: fault.NextOf(err), Status: status(k), Title: title(k),
		Type: "urn:tend:fault:" + string(k),
	}

	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return p
	}
	for _, e := range j.Unwrap() {
		p.Errors = append(p.Errors, NewProblem(e))
	}
	if len(p.Errors) > 0 {
		p.Kind, p.Status, p.Title, p.Type = p.Errors[0].Kind, p.Errors[0].Status, p.Errors[0].Title, p.Errors[0].Type
	}
	return p
}

func title(k fault.Kind) string {
	if t := http.StatusText(status(k)); t != "" {
		return t
	}
	return string(k)
}

// Err gives the error that the problem tells of.
func (p Problem) Err() error {
	if len(p.Errors) > 0 {
		all := make([]error, len(p.Errors))
		for i, e := range p.Errors {
			all[i] = e.Err()
		}
		return errors.Join(all...)
	}
	k := p.Kind
	if k == "" {
		k = fault.Internal
	}
	return &fault.Error{Kind: k, Message: p.Detail, Next: p.Next}
}
