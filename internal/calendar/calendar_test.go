package calendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/calendar"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, zone, now, until string }{
		{"Fri 17:00", "Mon 08:00", "", "2026-03-06T16:59:00Z", ""},
		{"Fri 17:00", "Mon 08:00", "", "2026-03-06T17:00:00Z", "2026-03-09T08:00:00Z"},
		{"Fri 17:00", "Mon 08:00", "", "2026-03-08T10:00:00Z", "2026-03-09T08:00:00Z"},
		{"Fri 17:00", "Mon 08:00", "", "2026-03-09T07:59:59Z", "2026-03-09T08:00:00Z"},
		{"Fri 17:00", "Mon 08:00", "", "2026-03-09T08:00:00Z", ""},
		// Over the night in which the clock is set forward.
		{"Fri 17:00", "Mon 08:00", "Europe/Berlin", "2026-03-27T16:00:00Z", "2026-03-30T06:00:00Z"},
		{"Fri 17:00", "Mon 08:00", "Europe/Berlin", "2026-03-27T15:59:00Z", ""},
		{"saturday", "Sunday", "", "2026-03-08T23:59:00Z", "2026-03-09T00:00:00Z"},
		{"saturday", "Sunday", "", "2026-03-09T00:00:00Z", ""},
		{"Tue 10:00", "Tue 11:00", "", "2026-03-10T10:30:00Z", "2026-03-10T11:00:00Z"},
		{"2026-12-20", "2027-01-02", "", "2026-12-19T23:59:00Z", ""},
		{"2026-12-20", "2027-01-02", "", "2027-01-02T23:59:00Z", "2027-01-03T00:00:00Z"},
		{"2026-12-20", "2027-01-02", "America/New_York", "2026-12-20T04:59:00Z", ""},
		{"2026-12-20T17:00", "2026-12-20 18:00", "Europe/Berlin", "2026-12-20T16:30:00Z", "2026-12-20T17:00:00Z"},
		{"2026-12-20T17:00:00Z", "2026-12-20T18:00:00Z", "", "2026-12-20T17:30:00Z", "2026-12-20T18:00:00Z"},
	} {
		w, err := calendar.ParseWindow(c.from, c.to, c.zone)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		until, covered := w.Covers(at(t, c.now))
		if covered != (c.until != "") || covered && !until.Equal(at(t, c.until)) {
			t.Errorf("%+v: %v until %s", c, covered, until.UTC().Format(time.RFC3339))
		}
	}
	for _, c := range [][3]string{
		{"Fri 17:00", "2026-12-20", ""},
		{"Fri 17:00", "Fri 17:00", ""},
		{"2026-12-20", "2026-12-19", ""},
		{"Fri 25:00", "Mon", ""},
		{"", "", ""},
		{"Fri", "Mon", "Mars/Olympus"},
		{"soon", "later", ""},
	} {
		if w, err := calendar.ParseWindow(c[0], c[1], c[2]); err == nil {
			t.Errorf("%q is taken as %s", c, w)
		}
	}
}

// TestWindowEnds: a window says truly until when it lasts.
func TestWindowEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.SampledFrom([]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"})
		clock := rapid.SampledFrom([]string{"00:00", "02:30", "08:00", "23:59"})
		zone := rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone")
		w, err := calendar.ParseWindow(day.Draw(t, "from")+" "+clock.Draw(t, "at"), day.Draw(t, "to")+" "+clock.Draw(t, "until"), zone)
		if err != nil {
			t.Skip("empty")
		}
		now := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "now"), 0)
		until, covered := w.Covers(now)
		if !covered {
			return
		}
		if !until.After(now) || until.Sub(now) > 8*24*time.Hour {
			t.Fatalf("%s at %s lasts until %s", w, now, until)
		}
		if _, still := w.Covers(until.Add(-time.Second)); !still {
			t.Fatalf("%s at %s: it is over before %s", w, now, until)
		}
		if next, still := w.Covers(until.Add(2 * time.Hour)); still && next.Equal(until) {
			t.Fatalf("%s at %s: it goes on after %s", w, now, until)
		}
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r := calendar.Rotation{
		Start: time.Date(2026, 3, 2, 9, 0, 0, 0, berlin), Days: 7, People: []string{"ada", "ben", "cleo"},
		Overrides: []calendar.Span{{From: at(t, "2026-03-11T00:00:00Z"), To: at(t, "2026-03-12T00:00:00Z"), People: []string{"dora"}}},
	}
	for _, c := range []struct{ now, who, until string }{
		{"2026-03-02T07:59:59Z", "", "2026-03-02T08:00:00Z"},
		{"2026-03-02T08:00:00Z", "ada", "2026-03-09T08:00:00Z"},
		{"2026-03-09T08:00:00Z", "ben", "2026-03-11T00:00:00Z"},
		{"2026-03-11T12:00:00Z", "dora", "2026-03-12T00:00:00Z"},
		{"2026-03-12T00:00:00Z", "ben", "2026-03-16T08:00:00Z"},
		{"2026-03-23T07:59:59Z", "cleo", "2026-03-23T08:00:00Z"},
		// The clock was set forward on the 29th: nine o'clock comes an hour earlier.
		{"2026-03-30T06:59:59Z", "ada", "2026-03-30T07:00:00Z"},
		{"2026-03-30T07:00:00Z", "ben", "2026-04-06T07:00:00Z"},
		{"2046-03-30T07:00:00Z", "", ""},
	} {
		who, until := r.At(at(t, c.now))
		if c.until == "" {
			if who == "" || !until.After(at(t, c.now)) {
				t.Errorf("%s: %q until %s", c.now, who, until)
			}
			continue
		}
		if who != c.who || !until.Equal(at(t, c.until)) {
			t.Errorf("%s: %q until %s, not %q until %s", c.now, who, until.UTC().Format(time.RFC3339), c.who, c.until)
		}
	}
	for _, bad := range []calendar.Rotation{{}, {Days: 7, Start: r.Start}, {People: []string{"ada"}, Start: r.Start}, {People: []string{"ada"}, Days: 1}} {
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
		if who, _ := bad.At(at(t, "2026-03-11T12:00:00Z")); who != "" {
			t.Errorf("%+v: %s", bad, who)
		}
	}
}

func ics(events ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a team//EN\r\n" + strings.ReplaceAll(strings.Join(events, ""), "\n", "\r\n") + "END:VCALENDAR\r\n")
}

const (
	weekly = `BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART:20260302T090000Z
DTEND:20260309T090000Z
RRULE:FREQ=WEEKLY;INTERVAL=2
SUMMARY:Primary
ATTENDEE;PARTSTAT=ACCEPTED:mailto:Ada@example.org
ATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.org
EXDATE:20260330T090000Z
END:VEVENT
`
	moved = `BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
RECURRENCE-ID:20260316T090000Z
DTSTART:20260317T090000Z
DTEND:20260318T090000Z
SUMMARY:Primary\, moved
ATTENDEE:mailto:cleo@example.org
END:VEVENT
`
	once = `BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART:20260311T000000Z
DTEND:20260312T000000Z
SUMMARY:On-call: dora
END:VEVENT
`
	off = `BEGIN:VEVENT
UID:3
DTSTAMP:20260101T000000Z
DTSTART:20260311T000000Z
DTEND:20260312T000000Z
STATUS:CANCELLED
SUMMARY:emil
END:VEVENT
`
)

func TestOnCall(t *testing.T) {
	t.Parallel()
	c, err := calendar.ParseICS(ics(weekly, moved, once, off), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		now   string
		who   []string
		until string
	}{
		{"2026-03-02T08:59:59Z", nil, ""},
		{"2026-03-02T09:00:00Z", []string{"ada@example.org"}, "2026-03-09T09:00:00Z"},
		{"2026-03-09T09:00:00Z", nil, ""},
		{"2026-03-11T12:00:00Z", []string{"dora"}, "2026-03-12T00:00:00Z"},
		{"2026-03-16T12:00:00Z", nil, ""}, // it was moved
		{"2026-03-17T12:00:00Z", []string{"cleo@example.org"}, "2026-03-18T09:00:00Z"},
		{"2026-03-31T12:00:00Z", nil, ""}, // it was left out
		{"2026-04-13T12:00:00Z", []string{"ada@example.org"}, "2026-04-20T09:00:00Z"},
	} {
		who, until := c.OnCall(at(t, x.now))
		if !slices.Equal(who, x.who) || x.until != "" && !until.Equal(at(t, x.until)) {
			t.Errorf("%s: %v until %s, not %v until %s", x.now, who, until, x.who, x.until)
		}
	}
}

func TestICSRefused(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"empty":         nil,
		"no calendar":   []byte("<html>"),
		"no event":      ics(),
		"backwards":     ics(strings.Replace(once, "DTEND:20260312", "DTEND:20260310", 1)),
		"every second":  ics(strings.Replace(weekly, "WEEKLY;INTERVAL=2", "SECONDLY", 1)),
		"no such rule":  ics(strings.Replace(weekly, "FREQ=WEEKLY", "FREQ=SOMETIMES", 1)),
		"no such start": ics(strings.Replace(once, "DTSTART:20260311T000000Z", "DTSTART:soon", 1)),
	} {
		if _, err := calendar.ParseICS(b, time.UTC); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	_, err := calendar.ParseICS(ics(strings.Replace(once, "DTEND:20260312", "DTEND:20260310", 1), strings.Replace(weekly, "WEEKLY;INTERVAL=2", "HOURLY", 1)), time.UTC)
	if err == nil || !strings.Contains(err.Error(), "dora") || !strings.Contains(err.Error(), "Primary") {
		t.Errorf("not all problems at once: %v", err)
	}
}

// TestNeverEnds: a rule that never holds is not followed for ever.
func TestNeverEnds(t *testing.T) {
	t.Parallel()
	c, err := calendar.ParseICS(ics(strings.Replace(weekly, "FREQ=WEEKLY;INTERVAL=2", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 1)), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.At(at(t, "2030-03-02T09:00:00Z")); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func FuzzParseICS(f *testing.F) {
	f.Add(ics(weekly, moved, once, off))
	f.Add(ics(strings.Replace(weekly, "INTERVAL=2", "COUNT=3;BYDAY=MO,TU;BYSETPOS=-1", 1)))
	now := time.Unix(1.775e9, 0)
	f.Fuzz(func(_ *testing.T, b []byte) {
		c, err := calendar.ParseICS(b, time.UTC)
		if err == nil {
			c.OnCall(now)
		}
	})
}
