package calendar

import (
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// Window is a stretch of time that is declared in a document: once (two times), or every week (two days of the week with
// their times). It ends where To says; a weekly one that ends before it begins goes over the end of the week.
type Window struct {
	once     Span
	weekly   bool
	from, to minute // of the week
	zone     *time.Location
	text     string
}

// minute of a week that begins on Sunday at midnight.
type minute int

const week = minute(7 * 24 * 60)

// ParseWindow reads a window: "Fri 17:00" and "Mon 08:00", "2026-12-20" and "2027-01-02", or times with an hour
// (2026-12-20T17:00). A day without an hour begins at midnight; as an end it is the end of that day. zone is a name of the
// IANA data base, "" for UTC.
func ParseWindow(from, to, zone string) (Window, error) {
	l, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return Window{}, fault.New(fault.Invalid, "there is no time zone %q", zone).WithNext("write it as in Europe/Berlin")
	}
	w := Window{zone: l, text: from + " to " + to}
	if f, ok := weekday(from, false); ok {
		t, ok := weekday(to, true)
		if !ok {
			return w, fault.New(fault.Invalid, "the window begins every week (%q), and its end is not written like that: %q", from, to).WithNext("write it as in Mon 08:00")
		}
		if f == t {
			return w, fault.New(fault.Invalid, "the window from %q to %q is empty, or never ends", from, to)
		}
		w.weekly, w.from, w.to = true, f, t
		return w, nil
	}
	if w.once.From, err = moment(from, l, false); err != nil {
		return w, err
	}
	if w.once.To, err = moment(to, l, true); err != nil {
		return w, err
	}
	if !w.once.To.After(w.once.From) {
		return w, fault.New(fault.Invalid, "the window ends (%s) before it begins (%s)", to, from)
	}
	return w, nil
}

// String gives the window as it was written.
func (w Window) String() string { return w.text }

// Covers tells whether a time lies in the window, and when it ends.
func (w Window) Covers(now time.Time) (until time.Time, covered bool) {
	if !w.weekly {
		return w.once.To, w.once.Covers(now)
	}
	local := now.In(w.zone)
	at := minute(int(local.Weekday())*24*60 + local.Hour()*60 + local.Minute())
	if w.from < w.to && (at < w.from || at >= w.to) || w.from > w.to && at < w.from && at >= w.to {
		return time.Time{}, false
	}
	ahead := int(w.to/(24*60)) - int(local.Weekday())
	if w.to <= at {
		ahead += 7
	}
	// By the calendar and not by hours: a day can have 23 or 25 of them.
	end := time.Date(local.Year(), local.Month(), local.Day()+ahead, int(w.to)/60%24, int(w.to)%60, 0, 0, w.zone)
	return end.UTC(), true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// weekday reads "Fri 17:00" or "Friday". As an end a day alone is the end of that day.
func weekday(s string, end bool) (minute, bool) {
	name, clock, timed := strings.Cut(strings.TrimSpace(s), " ")
	if len(name) < 3 {
		return 0, false
	}
	for i, d := range weekdays {
		full := strings.ToLower(time.Weekday(i).String())
		if n := strings.ToLower(name); n != d && n != full {
			continue
		}
		m := minute(i * 24 * 60)
		if !timed {
			if end {
				m = (m + 24*60) % week
			}
			return m, true
		}
		t, err := time.Parse("15:04", strings.TrimSpace(clock))
		if err != nil {
			return 0, false
		}
		return m + minute(t.Hour()*60+t.Minute()), true
	}
	return 0, false
}

func moment(s string, l *time.Location, end bool) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, l); err == nil {
			return t.UTC(), nil
		}
	}
	if t, err := time.ParseInLocation("2006-01-02", s, l); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t.UTC(), nil
	}
	return time.Time{}, fault.New(fault.Invalid, "%q is no time", s).WithNext("write Fri 17:00, 2026-12-20 or 2026-12-20T17:00")
}

// Rotation hands a duty from one person to the next, at the same time of day, every so many days.
type Rotation struct {
	Start     time.Time // the first hand-over, to People[0]; its location is that of the team
	Days      int       // between hand-overs; 7 is weekly
	People    []string
	Overrides []Span // who takes over for a while; the last one that covers a time counts
}

// Check tells what is wrong with a rotation.
func (r Rotation) Check() error {
	switch {
	case len(r.People) == 0:
		return fault.New(fault.Invalid, "nobody takes part in the rotation")
	case r.Days < 1:
		return fault.New(fault.Invalid, "the duty is handed over every %d days", r.Days).WithNext("write 7 for weekly")
	case r.Start.IsZero():
		return fault.New(fault.Invalid, "the rotation does not say when it starts")
	}
	return nil
}

// At gives who has the duty and until when; nobody before the rotation starts.
func (r Rotation) At(now time.Time) (who string, until time.Time) {
	if r.Check() != nil || now.Before(r.Start) {
		return "", r.Start
	}
	// Hand-overs are counted by the calendar of the team: a day can have 23 or 25 hours.
	n := int(now.Sub(r.Start).Hours()/24) / r.Days
	for n > 0 && now.Before(r.handover(n)) {
		n--
	}
	for !now.Before(r.handover(n + 1)) {
		n++
	}
	who, until = r.People[n%len(r.People)], r.handover(n+1)
	for _, o := range r.Overrides {
		switch {
		case o.Covers(now) && len(o.People) > 0:
			who, until = o.People[0], o.To
		case now.Before(o.From) && o.From.Before(until):
			until = o.From
		}
	}
	return who, until.UTC()
}

func (r Rotation) handover(n int) time.Time { return r.Start.AddDate(0, 0, n*r.Days) }
