// Package schedule tells when something is due: by a cron line in a time zone, and by silence.
//
// It is pure: now and what was last come as arguments. Daylight saving moves a time that does not exist by as much as
// the clock jumps, and a time of day that comes twice is due once; what is due every hour is due in both of them.
package schedule

import (
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	"github.com/tendhq/tend/internal/fault"
)

// Missed says what becomes of ticks that passed while nobody looked.
type Missed string

// What can become of missed ticks.
const (
	Skip Missed = "skip" // forget them
	Last Missed = "last" // make up for the last one
	All  Missed = "all"  // make up for each, up to MaxMissed
)

// MaxMissed is how many ticks All makes up for: the newest ones. The caller says how many were left out.
const MaxMissed = 100

// Grace is how late a tick may be seen and still be on time.
const Grace = time.Minute

// Schedule is a cron line in a time zone.
type Schedule struct {
	text string
	zone *time.Location
	cron cron.Schedule
	once bool // it names hours of the day
}

// parser reads five fields as POSIX has them (a day of the month or of the week: either is enough), and @hourly and the
// like. @every is not offered: it would begin anew with every restart.
var parser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)

// Zone finds a time zone by its name in the IANA data base; "" is UTC.
func Zone(name string) (*time.Location, error) {
	l, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fault.New(fault.Invalid, "there is no time zone %q", name).WithNext("write it as in Europe/Berlin")
	}
	return l, nil
}

// Parse reads a cron line. zone is as Zone has it.
func Parse(line, zone string) (Schedule, error) {
	l, err := Zone(zone)
	if err != nil {
		return Schedule{}, err
	}
	s := Schedule{text: line, zone: l}
	switch fields := strings.Fields(line); {
	case strings.Contains(line, "TZ="):
		return s, fault.New(fault.Invalid, "a schedule's time zone stands in `zone`, not in the line %q", line)
	case strings.HasPrefix(line, "@every"):
		return s, fault.New(fault.Invalid, "%q would begin anew with every restart", line).WithNext("write */5 * * * * for every five minutes")
	case !strings.HasPrefix(line, "@") && len(fields) != 5:
		return s, fault.New(fault.Invalid, "the schedule %q has %d fields, not five", line, len(fields)).
			WithNext("write minute, hour, day of the month, month, day of the week: 30 7 * * 1-5")
	}
	if s.cron, err = parser.Parse(line); err != nil {
		return s, fault.Wrap(fault.Invalid, err, "read the schedule %q", line)
	}
	s.once = line != "@hourly" && (strings.HasPrefix(line, "@") || !strings.HasPrefix(strings.Fields(line)[1], "*"))
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return s, fault.New(fault.Invalid, "the schedule %q is never due", line)
	}
	return s, nil
}

// String gives the line, with its zone when it has one.
func (s Schedule) String() string {
	if s.zone == time.UTC {
		return s.text
	}
	return s.text + " " + s.zone.String()
}

// Next gives the first time that is due after a time; zero: never.
func (s Schedule) Next(after time.Time) time.Time {
	t := s.cron.Next(after.In(s.zone))
	for s.once && !t.IsZero() && again(t) {
		t = s.cron.Next(t)
	}
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// again tells whether the clock showed the same time a moment ago, before it was set back.
func again(t time.Time) bool {
	const shown = "2006-01-02 15:04:05"
	for _, d := range []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour} {
		if t.Add(-d).Format(shown) == t.Format(shown) {
			return true
		}
	}
	return false
}

// Due gives the times that are due in (last, now], oldest first, as far as missed says that they still count, and how many
// were left out. A tick within Grace of now was not missed.
func (s Schedule) Due(last, now time.Time, missed Missed) (due []time.Time, left int) {
	for t := s.Next(last); !t.IsZero() && !t.After(now); t = s.Next(t) {
		due = append(due, t)
		if len(due) > MaxMissed {
			due, left = due[1:], left+1
		}
	}
	switch n := len(due); {
	case n == 0, missed == All:
	case missed == Last:
		due, left = due[n-1:], left+n-1
	case now.Sub(due[n-1]) > Grace:
		due, left = nil, left+n
	default:
		due, left = due[n-1:], left+n-1
	}
	return due, left
}

// Silence is a time without an event after which somebody should look.
type Silence struct {
	For time.Duration
}

// Broken tells whether the silence has lasted too long, and when it has. last is the last event, or when somebody began to
// listen: nothing is missed before that.
func (s Silence) Broken(last, now time.Time) (time.Time, bool) {
	at := last.Add(s.For)
	return at, s.For > 0 && !now.Before(at)
}
