package schedule_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/schedule"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, zone, after, want string }{
		{"30 7 * * 1-5", "", "2026-03-06T08:00:00Z", "2026-03-09T07:30:00Z"},
		{"30 7 * * 1-5", "Europe/Berlin", "2026-03-06T08:00:00Z", "2026-03-09T06:30:00Z"},
		{"@daily", "", "2026-03-06T08:00:00Z", "2026-03-07T00:00:00Z"},
		{"0 0 1 * 1", "", "2026-03-02T08:00:00Z", "2026-03-09T00:00:00Z"}, // the first of a month, or a Monday
		{"0 0 29 2 *", "", "2026-03-02T08:00:00Z", "2028-02-29T00:00:00Z"},
		{"*/5 * * * *", "", "2026-03-02T08:00:00Z", "2026-03-02T08:05:00Z"},
		// In spring 02:30 does not exist in Berlin: it is 03:30, that day still.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T01:30:00Z"},
		// In autumn 02:30 exists twice: once is enough.
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"0 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"}, // every hour is every hour
		{"0 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
	} {
		s, err := schedule.Parse(c.line, c.zone)
		if err != nil {
			t.Errorf("%s %s: %v", c.line, c.zone, err)
			continue
		}
		if got := s.Next(at(t, c.after)); !got.Equal(at(t, c.want)) {
			t.Errorf("%s %s after %s: %s, not %s", c.line, c.zone, c.after, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"", ""},
		{"* * * *", ""},
		{"* * * * * *", ""},
		{"60 * * * *", ""},
		{"@every 5m", ""},
		{"TZ=UTC * * * * *", ""},
		{"TZ=", ""},
		{"CRON_TZ=Asia/Tokyo 30 4 * * *", ""},
		{"0 0 30 2 *", ""},
		{"* * * * *", "Mars/Olympus"},
		{"* * * * *", "Local"},
		{"@reboot", ""},
	} {
		if s, err := schedule.Parse(c[0], c[1]); err == nil {
			t.Errorf("%q in %q is taken as %s", c[0], c[1], s)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse("0 * * * *", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		last, now string
		missed    schedule.Missed
		want      []string
		left      int
	}{
		{"2026-03-01T08:00:00Z", "2026-03-01T08:59:59Z", schedule.All, nil, 0},
		{"2026-03-01T08:00:00Z", "2026-03-01T09:00:05Z", schedule.Skip, []string{"2026-03-01T09:00:00Z"}, 0},
		{"2026-03-01T08:00:00Z", "2026-03-01T11:30:00Z", schedule.Skip, nil, 3},
		{"2026-03-01T08:00:00Z", "2026-03-01T11:00:30Z", schedule.Skip, []string{"2026-03-01T11:00:00Z"}, 2},
		{"2026-03-01T08:00:00Z", "2026-03-01T11:30:00Z", schedule.Last, []string{"2026-03-01T11:00:00Z"}, 2},
		{"2026-03-01T08:00:00Z", "2026-03-01T10:30:00Z", schedule.All, []string{"2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"}, 0},
		{"2026-03-01T08:00:00Z", "2026-02-01T10:30:00Z", schedule.All, nil, 0}, // the clock went back
	} {
		due, left := s.Due(at(t, c.last), at(t, c.now), c.missed)
		var got []string
		for _, d := range due {
			got = append(got, d.Format(time.RFC3339))
		}
		if !slices.Equal(got, c.want) || left != c.left {
			t.Errorf("%+v: %v, %d left out", c, got, left)
		}
	}
	if due, left := s.Due(at(t, "2025-01-01T00:00:00Z"), at(t, "2026-01-01T00:00:00Z"), schedule.All); len(due) != schedule.MaxMissed || left != 365*24-schedule.MaxMissed {
		t.Errorf("a year: %d due, %d left out", len(due), left)
	}
}

// TestDueOnce: however time is cut into looks, every tick is due once.
func TestDueOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := schedule.Parse(rapid.SampledFrom([]string{"*/7 * * * *", "30 2 * * *", "0 0 1 * 1", "15 3 * * 0"}).Draw(t, "line"), rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "from"), 0)
		now, last := from, from
		var pieces []time.Time
		for range rapid.IntRange(1, 20).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 9*3600).Draw(t, "pause")) * time.Second)
			due, left := s.Due(last, now, schedule.All)
			if left > 0 {
				t.Skip("too many")
			}
			pieces, last = append(pieces, due...), now
		}
		whole, left := s.Due(from, now, schedule.All)
		if left == 0 && !slices.Equal(pieces, whole) {
			t.Fatalf("in pieces %v, at once %v", pieces, whole)
		}
	})
}

func TestSilence(t *testing.T) {
	t.Parallel()
	s := schedule.Silence{For: time.Hour}
	last := at(t, "2026-03-01T08:00:00Z")
	if _, broken := s.Broken(last, last.Add(time.Hour-1)); broken {
		t.Error("too early")
	}
	if when, broken := s.Broken(last, last.Add(3*time.Hour)); !broken || !when.Equal(last.Add(time.Hour)) {
		t.Errorf("%s %v", when, broken)
	}
	if _, broken := (schedule.Silence{}).Broken(last, last.Add(3*time.Hour)); broken {
		t.Error("no silence is too long where none is declared")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("30 7 * * 1-5", "Europe/Berlin")
	f.Add("TZ= * * * * *", "")
	f.Add("@every 1ns", "")
	f.Fuzz(func(_ *testing.T, line, zone string) {
		s, err := schedule.Parse(line, zone)
		if err != nil {
			return
		}
		s.Due(time.Unix(1.75e9, 0), time.Unix(1.7501e9, 0), schedule.All)
	})
}
