package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teambition/rrule-go"

	"github.com/tendhq/tend/internal/fault"
)

// property is a line of a calendar file: NAME;PARAM=VALUE:TEXT.
type property struct {
	line   int
	name   string
	params map[string]string
	text   string
}

// properties reads the lines of a file, folded ones joined (RFC 5545, 3.1).
func properties(b []byte) ([]property, error) {
	if !utf8.Valid(b) {
		return nil, fault.New(fault.Invalid, "the calendar is not UTF-8")
	}
	var out []property
	var problems []error
	text, began := "", 0
	flush := func() {
		if strings.TrimSpace(text) == "" {
			return
		}
		p, ok := parse(text)
		if p.line = began; !ok {
			problems = append(problems, fault.New(fault.Invalid, "line %d of the calendar is no property: %.60q", began, text))
			return
		}
		out = append(out, p)
	}
	number := 0
	for l := range bytes.Lines(b) {
		number++
		s := strings.TrimRight(string(l), "\r\n")
		if len(s) > 0 && (s[0] == ' ' || s[0] == '\t') && began > 0 {
			text += s[1:]
			continue
		}
		flush()
		text, began = s, number
		if len(problems) >= 20 {
			break
		}
	}
	flush()
	return out, errors.Join(problems...)
}

func parse(s string) (property, bool) {
	p := property{params: map[string]string{}}
	quoted := false
	part := 0
	keep := func(end int) bool {
		piece := s[part:end]
		part = end + 1
		if p.name == "" {
			p.name = strings.ToUpper(piece)
			return p.name != ""
		}
		k, v, ok := strings.Cut(piece, "=")
		p.params[strings.ToUpper(k)] = strings.ReplaceAll(v, `"`, "")
		return ok
	}
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == ';' && !keep(i):
			return p, false
		case s[i] == ':':
			ok := keep(i)
			p.text = s[i+1:]
			return p, ok
		}
	}
	return p, false
}

var unescape = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n", `\N`, "\n")

// time reads a DATE or DATE-TIME (RFC 5545, 3.3.4 and 3.3.5). day tells that it is a whole day.
func (p property) time(text string, zone *time.Location) (at time.Time, day bool, err error) {
	if id := p.params["TZID"]; id != "" {
		l, err := time.LoadLocation(strings.TrimPrefix(id, "/"))
		if err != nil || id == "Local" {
			return at, false, fault.New(fault.Invalid, "line %d: there is no time zone %.60q", p.line, id).WithNext("export the calendar with names such as Europe/Berlin")
		}
		zone = l
	}
	switch {
	case len(text) == len("20060102"):
		at, err = time.ParseInLocation("20060102", text, zone)
		day = true
	case strings.HasSuffix(text, "Z"):
		at, err = time.Parse("20060102T150405Z", text)
	default:
		at, err = time.ParseInLocation("20060102T150405", text, zone)
	}
	if err != nil {
		return at, day, fault.New(fault.Invalid, "line %d: %s is %.40q, which is no time", p.line, p.name, text)
	}
	return at, day, nil
}

var lasts = regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// duration reads a DURATION (RFC 5545, 3.3.6) that is not negative.
func duration(s string) (time.Duration, bool) {
	m := lasts.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1])
		d += time.Duration(n) * unit
	}
	return d, d > 0
}

// ParseICS reads a calendar in the format of RFC 5545. zone is used where the file names none. Events that come again more
// often than daily are refused: they are no duty and no freeze. All problems are told at once.
func ParseICS(b []byte, zone *time.Location) (Calendar, error) {
	var c Calendar
	lines, err := properties(b)
	if err != nil {
		return c, err
	}
	var problems []error
	var nested []string
	var open []property
	for _, p := range lines {
		what := strings.ToUpper(p.text)
		switch {
		case p.name == "BEGIN":
			nested = append(nested, what)
			if len(nested) > 10 {
				return c, fault.New(fault.Invalid, "line %d: the calendar is nested too deep", p.line)
			}
			if what == "VEVENT" {
				open = nil
			}
		case p.name == "END":
			if len(nested) == 0 || nested[len(nested)-1] != what {
				return c, fault.New(fault.Invalid, "line %d: END:%.40s ends nothing", p.line, p.text)
			}
			if nested = nested[:len(nested)-1]; what != "VEVENT" {
				continue
			}
			if len(c.events) >= maxEvents {
				return c, fault.New(fault.Invalid, "the calendar has more than %d events", maxEvents).WithNext("export a shorter period")
			}
			o, err := read(open, p.line, zone)
			if err != nil {
				problems = append(problems, err)
			} else if o != nil {
				c.events = append(c.events, *o)
			}
		case len(nested) > 0 && nested[len(nested)-1] == "VEVENT":
			open = append(open, p)
		case p.name == "X-WR-TIMEZONE":
			if l, err := time.LoadLocation(p.text); err == nil && p.text != "Local" {
				zone = l
			}
		}
	}
	switch {
	case len(nested) > 0:
		problems = append(problems, fault.New(fault.Invalid, "the calendar ends within %s: it is not whole", nested[len(nested)-1]))
	case len(c.events) == 0 && len(problems) == 0:
		return c, fault.New(fault.Invalid, "the calendar has no event").WithNext("check that the file is the calendar that you mean")
	}
	return c, errors.Join(problems...)
}

// read gives an event; nil for one that was cancelled.
func read(lines []property, end int, zone *time.Location) (*occasion, error) {
	o := &occasion{}
	var problems []error
	take := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	var rule *property
	var length time.Duration
	var day bool
	for i, p := range lines {
		var err error
		switch p.name {
		case "STATUS":
			if strings.EqualFold(p.text, "CANCELLED") {
				return nil, nil
			}
		case "UID":
			o.id = p.text
		case "SUMMARY":
			o.Title = unescape.Replace(p.text)
		case "DTSTART":
			o.From, day, err = p.time(p.text, zone)
		case "DTEND":
			o.To, _, err = p.time(p.text, zone)
		case "DURATION":
			var ok bool
			if length, ok = duration(p.text); !ok {
				err = fault.New(fault.Invalid, "line %d: %.40q is no duration", p.line, p.text)
			}
		case "RECURRENCE-ID":
			o.moved, _, err = p.time(p.text, zone)
		case "RRULE":
			rule = &lines[i]
		case "EXDATE":
			o.except, err = p.times(o.except, zone)
		case "RDATE":
			o.also, err = p.times(o.also, zone)
		case "ATTENDEE":
			who, ok := strings.CutPrefix(strings.ToLower(p.text), "mailto:")
			if ok && who != "" && !strings.EqualFold(p.params["PARTSTAT"], "DECLINED") {
				o.People = append(o.People, who)
			}
		}
		take(err)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	switch {
	case o.From.IsZero():
		return nil, fault.New(fault.Invalid, "the event %.60q that ends in line %d has no DTSTART", o.Title, end)
	case !o.To.IsZero():
	case length > 0:
		o.To = o.From.Add(length)
	case day:
		o.To = o.From.AddDate(0, 0, 1)
	}
	if !o.To.After(o.From) {
		return nil, fault.New(fault.Invalid, "the event %.60q that ends in line %d is over before it begins", o.Title, end)
	}
	if rule != nil {
		if err := o.recur(*rule); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (p property) times(have []time.Time, zone *time.Location) ([]time.Time, error) {
	for v := range strings.SplitSeq(p.text, ",") {
		if len(have) >= maxEvents {
			return have, fault.New(fault.Invalid, "line %d: more than %d dates", p.line, maxEvents)
		}
		at, _, err := p.time(v, zone)
		if err != nil {
			return have, err
		}
		have = append(have, at)
	}
	return have, nil
}

// recur reads when an event comes again.
func (o *occasion) recur(p property) error {
	rule, err := rrule.StrToROptionInLocation(p.text, o.From.Location())
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "line %d: read RRULE %.80q", p.line, p.text)
	}
	switch {
	case rule.Freq > rrule.DAILY:
		return fault.New(fault.Invalid, "line %d: the event %.60q comes again more often than daily", p.line, o.Title)
	case len(rule.Byhour)+len(rule.Byminute)+len(rule.Bysecond) > 0:
		return fault.New(fault.Invalid, "line %d: the event %.60q comes several times a day", p.line, o.Title)
	case rule.Interval < 0, rule.Count < 0, rule.Interval > maxEvents, rule.Count > maxEvents, len(p.text) > 2000:
		return fault.New(fault.Invalid, "line %d: a number or a list in %.80q is out of bounds", p.line, p.text)
	case o.To.Sub(o.From) > longest:
		return fault.New(fault.Invalid, "line %d: the event %.60q comes again and takes longer than %d days", p.line, o.Title, int(longest.Hours()/24))
	case o.From.Year() < 1970:
		return fault.New(fault.Invalid, "line %d: the event %.60q comes again since %d", p.line, o.Title, o.From.Year())
	}
	rule.Dtstart = o.From
	if _, err := rrule.NewRRule(*rule); err != nil {
		return fault.Wrap(fault.Invalid, err, "line %d: read RRULE %.80q", p.line, p.text)
	}
	o.rule = rule
	return nil
}

// String gives an event for messages.
func (s Span) String() string {
	return fmt.Sprintf("%s (%s to %s)", s.Title, s.From.UTC().Format(time.RFC3339), s.To.UTC().Format(time.RFC3339))
}
