package value

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a time.Duration that is written as text ("30s") in JSON.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// String writes it as people do: 10m, not 10m0s. What is stored is written by MarshalText.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if t, ok := strings.CutSuffix(s, "m0s"); ok {
		s = t + "m"
	}
	if t, ok := strings.CutSuffix(s, "h0m"); ok {
		s = t + "h"
	}
	return s
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// ParseDuration reads a duration as people write it in documents: Go's form ("90s", "1h30m", "250ms") with days and
// weeks ("2d", "1w2d"). It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return 0, fmt.Errorf("expected a duration such as 30s, 5m or 1h30m, not an empty text")
	}
	var sum time.Duration
	rest := text
	for rest != "" {
		digits := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if digits <= 0 || (rest[digits] != 'd' && rest[digits] != 'w') {
			break
		}
		unit := 24 * time.Hour
		if rest[digits] == 'w' {
			unit *= 7
		}
		var n int64
		if _, err := fmt.Sscanf(rest[:digits], "%d", &n); err != nil || n > int64(1<<62/unit) {
			return 0, fmt.Errorf("%q is too long for a duration", s)
		}
		sum += time.Duration(n) * unit
		rest = rest[digits+1:]
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || rest[0] == '+' {
			if strings.Trim(text, "0123456789.") == "" && text != "0" {
				return 0, fmt.Errorf("%q has no unit: write %ss, %sm or %sh", s, text, text, text)
			}
			return 0, fmt.Errorf("expected a duration such as 30s, 5m or 1h30m, not %q", s)
		}
		sum += d
	}
	if sum < 0 {
		return 0, fmt.Errorf("%q is negative", s)
	}
	return sum, nil
}
