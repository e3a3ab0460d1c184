package value_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/value"
)

func TestDurationAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 10 * time.Second: "10s", time.Minute: "1m", 10 * time.Minute: "10m", 90 * time.Second: "1m30s", 10 * time.Hour: "10h",
		90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 1500 * time.Millisecond: "1.5s",
	} {
		if got := value.Duration(d).String(); got != want {
			t.Errorf("%s is written %s, and should be %s", d, got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1w2d3h": 219 * time.Hour, "0": 0, "0s": 0,
		"1.5h": 90 * time.Minute, " 5m ": 5 * time.Minute, "250ms": 250 * time.Millisecond,
	} {
		if got, err := value.ParseDuration(in); err != nil || got != want {
			t.Errorf("%q is %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "5", "-5s", "+5s", "soon", "5 minutes", "d", "1e9h", "999999999999999999999d", "99999999w", "1d1d1", "1h2d"} {
		if d, err := value.ParseDuration(in); err == nil {
			t.Errorf("%q is %v, and should be refused", in, d)
		}
	}
	for _, d := range []time.Duration{0, time.Nanosecond, 90 * time.Second, 26 * time.Hour} {
		if got, err := value.ParseDuration(d.String()); err != nil || got != d {
			t.Errorf("%s is %v, %v", d, got, err)
		}
	}
}
