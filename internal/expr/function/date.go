package function

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/value"
)

// Times are RFC 3339 texts in templates. There is no clock here: every time is given, and zones are UTC or offsets.
func timeFunctions() []Function {
	return group(groupTime,
		Function{Usage: "date LAYOUT TIME", Doc: "TIME (RFC 3339 or Unix seconds) in Go's layout 2006-01-02 15:04:05, in UTC.", Min: 2, Max: 2, body: func(a *Args) any { return a.format(a.text(0), 1, "UTC") }},
		Function{Usage: "dateInZone LAYOUT TIME ZONE", Doc: "The same in a zone: UTC or an offset such as +02:00.", Min: 3, Max: 3, body: func(a *Args) any { return a.format(a.text(0), 1, a.text(2)) }},
		Function{Usage: "htmlDate TIME", Doc: "TIME as 2006-01-02.", Min: 1, Max: 1, body: func(a *Args) any { return a.format(time.DateOnly, 0, "UTC") }},
		Function{Usage: "dateModify DURATION TIME", Doc: "TIME moved by a duration such as -1h30m.", Min: 2, Max: 2, body: dateModify},
		Function{Usage: "toDate LAYOUT TEXT", Doc: "The time that TEXT spells in Go's layout.", Min: 2, Max: 2, body: toDate},
		Function{Usage: "unixEpoch TIME", Doc: "The seconds since 1970, as text.", Min: 1, Max: 1, body: func(a *Args) any { return strconv.FormatInt(a.time(0).Unix(), 10) }},
		Function{Usage: "duration SECONDS", Doc: "As text: 95 is 1m35s.", Min: 1, Max: 1, body: duration},
		Function{Usage: "durationRound DURATION", Doc: "Its largest unit: 2h10m5s is 2h.", Min: 1, Max: 1, body: durationRound},
	)
}

// time reads argument i: RFC 3339, a date, a date and time in UTC, or Unix seconds.
func (a *Args) time(i int) time.Time {
	if s, ok := a.any(i).(string); ok {
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly, time.DateTime, "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
				return t
			}
		}
	}
	if a.null(i, "a time") {
		return time.Unix(0, 0).UTC()
	}
	n, ok := value.Number(a.any(i))
	seconds, fits := whole(n)
	if !ok || !fits || seconds > math.MaxInt32*100 || seconds < -math.MaxInt32*100 {
		a.wrong(i, "a time: RFC 3339 or Unix seconds")
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func (a *Args) format(layout string, i int, zone string) any {
	t := a.time(i)
	loc := time.UTC
	switch zone {
	case "", "UTC", "Z", "GMT", "Local":
	default:
		z, err := time.Parse("Z07:00", zone)
		if err != nil {
			return a.fail("zone %s is neither UTC nor an offset such as +02:00", excerpt(zone))
		}
		loc = z.Location()
	}
	return a.made(t.In(loc).Format(layout))
}

func dateModify(a *Args) any {
	d, err := time.ParseDuration(a.text(0))
	if err != nil {
		a.wrong(0, "a duration such as -1h30m")
	}
	return a.time(1).Add(d).Format(time.RFC3339Nano)
}

func toDate(a *Args) any {
	layout, s := a.text(0), a.text(1)
	t, err := time.Parse(layout, s)
	if err != nil {
		return a.fail("%s does not fit the layout %s", excerpt(s), excerpt(layout))
	}
	return t.Format(time.RFC3339Nano)
}

func duration(a *Args) any {
	n := a.int(0)
	if n > math.MaxInt64/int64(time.Second) || n < math.MinInt64/int64(time.Second) {
		return a.fail("%d seconds are too many", n)
	}
	return (time.Duration(n) * time.Second).String()
}

func durationRound(a *Args) any {
	var d time.Duration
	if s := a.text(0); s != "" {
		var err error
		if d, err = time.ParseDuration(s); err != nil {
			a.wrong(0, "a duration such as 1h30m")
		}
	}
	u := magnitude(int64(d))
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{
		{365 * 24 * time.Hour, "y"},
		{30 * 24 * time.Hour, "mo"},
		{24 * time.Hour, "d"},
		{time.Hour, "h"},
		{time.Minute, "m"},
		{time.Second, "s"},
	} {
		if length := uint64(unit.length); u > length {
			return strconv.FormatUint(u/length, 10) + unit.name
		}
	}
	return "0s"
}
