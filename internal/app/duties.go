package app

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/calendar"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/oncall"
	"github.com/tendhq/tend/internal/secret"
)

// duties tell who is on call. Calendars are read again when they change.
type duties struct {
	list map[string]config.OnCall
	log  *slog.Logger

	watches map[string]*oncall.Watch // schedules of other services, by duty

	mu    sync.Mutex
	files map[string]read // by duty
}

// read is a calendar as it was when it was read last. One that cannot be read any more stays as it was.
type read struct {
	at  time.Time
	cal calendar.Calendar
	why string // it cannot be read now; "" when it can
}

func (w *owned) openDuties(s *server) *duties {
	d := &duties{list: s.Config.OnCall, log: s.log, files: map[string]read{}, watches: map[string]*oncall.Watch{}}
	call := exchange.Caller{Dial: action.Dialer{Egress: egress(s.Config.Egress)}.DialContext}
	for name, o := range d.list {
		if src := w.schedule(o, call); src != nil {
			d.watches[name] = oncall.NewWatch(src)
		}
	}
	if len(d.watches) > 0 {
		s.parts = append(s.parts, part{name: "on call", run: d.run})
	}
	return d
}

// schedule gives the service that knows who has a duty; nil when that is known here.
func (w *owned) schedule(o config.OnCall, call exchange.Caller) oncall.Source {
	service := func(url, token string) oncall.Service {
		return oncall.Service{Call: call, URL: url, Token: func(ctx context.Context) (secret.Value, error) {
			f, err := w.secrets.Find(ctx, token)
			return f.Value, err
		}}
	}
	switch {
	case o.PagerDuty != nil:
		return oncall.PagerDuty{Service: service(o.PagerDuty.URL, o.PagerDuty.Token), Schedule: o.PagerDuty.Schedule}
	case o.Grafana != nil:
		return oncall.Grafana{Service: service(o.Grafana.URL, o.Grafana.Token), Schedule: o.Grafana.Schedule, Stack: o.Grafana.Stack}
	case o.Jira != nil:
		j := o.Jira
		return oncall.Jira{Service: service(j.URL, j.Token), User: j.User, Cloud: j.Cloud, Site: j.Site, Schedule: j.Schedule, Accounts: j.Accounts}
	}
	return nil
}

// run asks the services that know who is on call, until ctx ends.
func (d *duties) run(ctx context.Context) error {
	tick := time.NewTicker(oncall.Every)
	defer tick.Stop()
	for {
		var all sync.WaitGroup
		for name, x := range d.watches {
			all.Go(func() {
				if err := x.Ask(ctx); err != nil && ctx.Err() == nil {
					d.log.WarnContext(ctx, "it cannot be asked who is on call: what was known holds for a quarter of an hour, then nobody is", "duty", name, "why", err)
				}
			})
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// of gives the groups of duties that a principal has now.
func (d *duties) of(id string) []string {
	_, who, ok := strings.Cut(id, ":")
	if d == nil || !ok {
		return nil
	}
	var out []string
	for _, n := range slices.Sorted(maps.Keys(d.list)) {
		if slices.ContainsFunc(d.now(n), func(s string) bool { return strings.EqualFold(s, who) || s == id }) {
			out = append(out, "oncall/"+n)
		}
	}
	return out
}

// people gives the addresses of people, and of those who have a duty now. What is neither has none.
func (d *duties) people(targets []string) []string {
	var out []string
	add := func(who string) {
		who = strings.TrimPrefix(who, "user:")
		if strings.Contains(who, "@") && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	for _, t := range targets {
		name, duty := strings.CutPrefix(strings.TrimPrefix(t, "group:"), "oncall/")
		if !duty {
			add(t)
			continue
		}
		if _, ok := d.list[name]; ok {
			for _, who := range d.now(name) {
				add(who)
			}
		}
	}
	return out
}

// now gives who has a duty.
func (d *duties) now(name string) []string {
	if x := d.watches[name]; x != nil {
		return x.Who(now())
	}
	o := d.list[name]
	if o.Calendar == "" {
		r, err := o.Rotation()
		if err != nil {
			return nil // the configuration was checked
		}
		if who, _ := r.At(now()); who != "" {
			return []string{who}
		}
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.files[name]
	info, err := os.Stat(o.Calendar)
	if err == nil && !info.ModTime().Equal(known.at) {
		known, err = d.load(o, known, info.ModTime())
		if err != nil && known.at.Equal(info.ModTime()) {
			known.at = time.Time{} // it is wrong as it stands: it is tried, and told, again
		}
	}
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != known.why && why != "" { // who looks often does not fill the log
		d.log.Warn("a calendar cannot be read: what it said before holds", "duty", name, "why", err)
	}
	known.why = why
	d.files[name] = known
	who, _ := known.cal.OnCall(now())
	return who
}

// unread tells why the calendar of a duty could not be read when it was asked last; "" when it could, or there is none.
func (d *duties) unread(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files[name].why
}

func (d *duties) load(o config.OnCall, known read, at time.Time) (read, error) {
	b, err := os.ReadFile(o.Calendar)
	if err != nil {
		return known, err
	}
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return known, err
	}
	c, err := calendar.ParseICS(b, zone)
	known.at = at
	if err != nil {
		return known, err
	}
	known.cal = c
	return known, nil
}
