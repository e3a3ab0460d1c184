package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// decode reads one JSON document into v. Unknown keys are errors: a misspelt field must not be ignored.
func decode(r *http.Request, v any) error {
	if t := r.Header.Get("Content-Type"); t != "" && !strings.HasPrefix(t, "application/json") {
		return fault.New(fault.Invalid, "the body is %q", t).WithNext("send application/json")
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return fault.New(fault.Invalid, "the body holds more than one JSON document")
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fault.New(fault.Limit, "the body is larger than %d bytes", large.Limit)
	case errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "the body is empty").WithNext("send a JSON object")
	}
	return fault.Wrap(fault.Invalid, err, "read the body")
}

// encode answers with JSON. HTML is not escaped: payloads of entries must arrive as the bytes that were hashed.
func encode(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the reader is gone: there is nobody to tell
	return nil
}

// fail is the only place where an error becomes an answer.
func fail(w http.ResponseWriter, err error) {
	p := wire.NewProblem(err)
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(p)
}

// query reads a number from the address.
func query[T int | uint64](r *http.Request, name string, def, most T) (T, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return def, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || T(n) < 0 || T(n) > most {
		return 0, fault.New(fault.Invalid, "%s=%q is not a number between 0 and %d", name, s, most)
	}
	return T(n), nil
}
