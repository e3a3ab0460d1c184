package frame

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/value"
)

// Moment reads a time, or how long ago it was.
func Moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d).UTC(), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "%s %q is not a time", flag, text).WithNext("write it as 2026-01-31T15:04:05Z, 2026-01-31, or 36h for so long ago")
}

// readData reads a JSON or YAML document from a file, or from standard input when the name is -.
func (p *Process) readData(name string) (any, error) {
	b, err := p.ReadFile(name, MaxData)
	if err != nil {
		return nil, err
	}
	if err := readable(name, b); err != nil {
		return nil, err
	}
	if t := bytes.TrimSpace(b); len(t) > 0 && (t[0] == '{' || t[0] == '[') {
		// What begins like JSON may still be YAML in flow style.
		v, err := value.Parse(t)
		if err == nil {
			return v, nil
		}
		if strings.HasSuffix(name, ".json") {
			return nil, fault.Wrap(fault.Invalid, err, "read %s", name)
		}
	}
	var v any
	if err := yaml.Load(b, &v, yaml.WithV4Defaults(), yaml.WithUniqueKeys(true)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read %s", name)
	}
	n, err := value.Normalize(v)
	return n, fault.Wrap(fault.Invalid, err, "read %s", name)
}

// readable refuses what is no text, with the place: a reader that replaced such bytes would lose what they were.
func readable(name string, b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return fault.New(fault.Invalid, "%s is empty", name).WithNext("an empty mapping is {}")
	}
	line := 1
	for at := 0; at < len(b); {
		r, size := utf8.DecodeRune(b[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return fault.New(fault.Invalid, "%s:%d: the byte 0x%02x is not UTF-8", name, line, b[at]).WithNext("save it as UTF-8")
		case r == 0:
			return fault.New(fault.Invalid, "%s:%d: there is a NUL byte", name, line)
		case r == '\n':
			line++
		}
		at += size
	}
	return nil
}

// ReadObject reads a JSON or YAML mapping. what says what it is for.
func (p *Process) ReadObject(name, what string) (map[string]any, error) {
	if name == "" {
		return nil, nil
	}
	v, err := p.readData(name)
	if err != nil {
		return nil, err
	}
	switch m := v.(type) {
	case map[string]any:
		return m, nil
	case nil:
		return map[string]any{}, nil
	default:
		return nil, fault.New(fault.Invalid, "%s is no %s: it holds %s, not a mapping", name, what, kindOf(v))
	}
}

// MaxData bounds events and parameters.
const MaxData = 16 << 20

// ReadFile reads a file, or standard input when the name is -, of at most that many bytes.
func (p *Process) ReadFile(name string, most int64) ([]byte, error) {
	r := p.In
	if name != "-" {
		f, err := os.Open(name)
		if os.IsNotExist(err) {
			return nil, repository.Absent(name)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "read %s", name)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s", name)
	}
	if int64(len(b)) > most {
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB", name, most>>20).
			WithNext("leave large data in a file, and give its path")
	}
	return b, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	default:
		return fmt.Sprintf("%v", v)
	}
}

// KeyValues reads what was given with a flag as key=value. A value is text; the parameter's type says what becomes of it.
// key=@file takes the text of a file.
func (p *Process) KeyValues(flag string, pairs []string) (map[string]any, error) {
	out := make(map[string]any, len(pairs))
	for _, kv := range pairs {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, fault.New(fault.Invalid, "%s %q is not key=value", flag, kv).WithNext("write %s name=value, once for each", flag)
		}
		if _, twice := out[k]; twice {
			return nil, fault.New(fault.Invalid, "%s: %q is given twice", flag, k)
		}
		if name, ok := strings.CutPrefix(v, "@"); ok && name != "" {
			b, err := p.ReadFile(name, MaxData)
			if err != nil {
				return nil, fault.Wrap(fault.KindOf(err), err, "%s %s", flag, kv)
			}
			v = strings.TrimSuffix(string(b), "\n")
		}
		out[k] = v
	}
	return out, nil
}

// Params joins the parameters of a file with those of -p, which win.
func (p *Process) Params(file string, pairs []string) (map[string]any, error) {
	return p.Values(file, "-p", pairs)
}

// Values joins what a file holds with what was given with a flag, which wins.
func (p *Process) Values(file, flag string, pairs []string) (map[string]any, error) {
	out, err := p.ReadObject(file, "set of values")
	if err != nil {
		return nil, err
	}
	given, err := p.KeyValues(flag, pairs)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return given, nil
	}
	for k, v := range given {
		out[k] = v
	}
	return out, nil
}

// MapOf gives v where it is a mapping, else nil.
func MapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// Typed reads texts that are JSON numbers, booleans, lists or maps as such: there is no parameter here whose type would
// say it.
func Typed(m map[string]any) map[string]any {
	for k, v := range m {
		if s, ok := v.(string); ok {
			if parsed, err := value.Parse([]byte(s)); err == nil {
				m[k] = parsed
			}
		}
	}
	return m
}

// Pairs reads name=value texts.
func Pairs(flag string, list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, x := range list {
		k, v, ok := strings.Cut(x, "=")
		if !ok || k == "" {
			return nil, fault.New(fault.Invalid, "%s %q: it is not name=value", flag, x)
		}
		out[k] = v
	}
	return out, nil
}

// SeverityFlag reads a severity that was given.
func SeverityFlag(text string) (string, error) {
	s, ok := incident.ParseSeverity(text)
	if !ok {
		return "", fault.New(fault.Invalid, "--severity: %q is none", text).WithNext("say critical, major, minor or info")
	}
	return string(s), nil
}
