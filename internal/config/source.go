package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/signature"
)

// Source is a way in for events.
type Source struct {
	// Name is how triggers call it, and the end of the address that services post to: /hooks/NAME.
	Name string `yaml:"name"`
	// Kind is alertmanager, grafana, pagerduty, github, gitlab, jenkins, azuredevops, cloudevents or webhook, which are posted;
	// alertmanager-pull, which is asked; schedule; or silence.
	Kind string `yaml:"kind"`
	// Project owns its events. Default: default.
	Project string `yaml:"project"`
	// Scheme is how its messages are signed: standard, github, gitlab, grafana, pagerduty, slack, bearer or basic. Default: the
	// first one that the kind can do.
	Scheme string `yaml:"scheme"`
	// Keys are the names of secrets that sign its messages; several are live while one is being replaced.
	Keys []string `yaml:"keys"`
	// Mapping says where the parts of an event are, of kind webhook.
	Mapping *Mapping `yaml:"mapping"`
	// URL is where an Alertmanager is asked, of kind alertmanager-pull.
	URL string `yaml:"url"`
	// Every is how often it is asked. Default: 30s.
	Every Duration `yaml:"every"`
	// Token is the name of the secret that it is asked with.
	Token string `yaml:"token"`
	// Prometheus is asked whether the target of an alert that ended is still scraped, of kinds alertmanager and
	// alertmanager-pull: an alert whose series vanished is not taken to be repaired then.
	Prometheus *Witness `yaml:"prometheus"`
	// Changes says that its events of kind change are approved changes, for guards that want one (labels from, to, targets,
	// playbooks).
	Changes bool `yaml:"changes"`
	// Cron is when a schedule ticks: minute, hour, day of the month, month, day of the week.
	Cron string `yaml:"cron"`
	// Zone is the time zone of a schedule. Default: UTC.
	Zone string `yaml:"zone"`
	// Missed says what becomes of ticks that passed meanwhile: skip (default), last or all.
	Missed string `yaml:"missed"`
	// For is how long what a silence watches may be silent.
	For Duration `yaml:"for"`
	// Watch is what a silence expects.
	Watch *Watch `yaml:"watch"`
	// Monitors says that it is the heartbeat of monitoring (the alert Watchdog): while it is silent, guards stand down.
	Monitors bool `yaml:"monitors"`
}

// Witness is a Prometheus that is asked.
type Witness struct {
	// URL is its address, as http://prometheus:9090.
	URL string `yaml:"url"`
	// Token is the name of the secret that it is asked with, as a bearer token.
	Token string `yaml:"token"`
}

// Mapping says where the parts of an event are: paths ($.alert.id) or templates over the message.
type Mapping struct {
	// Each is a list, of which each item is an event; paths start at the item then.
	Each string `yaml:"each"`
	// Key names the event: a message with the same key is the same event. Default: the delivery's id, else the message itself.
	Key string `yaml:"key"`
	// Group is what belongs together. Default: the key.
	Group string `yaml:"group"`
	// Name is what people see. Default: the source's name.
	Name string `yaml:"name"`
	// Kind of the event, a word. Default: webhook.
	Kind string `yaml:"kind"`
	// At is when it happened. Default: when it came.
	At string `yaml:"at"`
	// Status is what tells whether it begins or ends.
	Status string `yaml:"status"`
	// Firing are values of Status that say that it begins. Default: all others.
	Firing []string `yaml:"firing"`
	// Resolved are values of Status that say that it is over.
	Resolved []string `yaml:"resolved"`
	// Labels of the event, by name.
	Labels map[string]string `yaml:"labels"`
}

// Watch is what a silence expects: events of these sources and kinds, with these labels. Globs; what is left out is any.
type Watch struct {
	// Source is a glob of names of sources.
	Source string `yaml:"source"`
	// Kind is a glob of kinds of events.
	Kind string `yaml:"kind"`
	// Labels that the event must have; globs.
	Labels map[string]string `yaml:"labels"`
}

// posted are the kinds that services post, with how they can be signed; the first one is the default.
var posted = map[string][]signature.Scheme{
	"alertmanager": {signature.Bearer, signature.Basic},
	"grafana":      {signature.Grafana, signature.Bearer, signature.Basic},
	"pagerduty":    {signature.PagerDuty},
	"github":       {signature.GitHub},
	"gitlab":       {signature.GitLab, signature.Standard},
	"jenkins":      {signature.Bearer, signature.Basic},
	"azuredevops":  {signature.Basic, signature.Bearer},
	"cloudevents":  {signature.Bearer, signature.Basic, signature.Standard},
	"webhook":      {signature.Standard, signature.GitHub, signature.Bearer, signature.Basic},
}

// Posted tells whether services post its messages.
func (s *Source) Posted() bool { _, ok := posted[s.Kind]; return ok }

// Signed gives how its messages are signed.
func (s *Source) Signed() signature.Scheme {
	if s.Scheme != "" {
		return signature.Scheme(s.Scheme)
	}
	if all := posted[s.Kind]; len(all) > 0 {
		return all[0]
	}
	return ""
}

func (s *Server) checkSources(bad Bad) {
	seen := map[string]bool{}
	for i := range s.Sources {
		x := &s.Sources[i]
		at := fmt.Sprintf("sources[%d]", i)
		if x.Name == "" || strings.Trim(x.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(x.Name) > 60 {
			bad(at+".name", "small letters, digits, - and _", "a source cannot be named %q", x.Name)
		}
		if seen[x.Name] {
			bad(at+".name", "name it otherwise", "two sources are named %q", x.Name)
		}
		seen[x.Name] = true
		if x.Name == "tend" {
			bad(at+".name", "name it otherwise", "tend is the source of the server's own events")
		}
		x.checkIdle(bad, at)
		if x.Prometheus != nil && !strings.HasPrefix(x.Prometheus.URL, "http://") && !strings.HasPrefix(x.Prometheus.URL, "https://") {
			bad(at+".prometheus.url", "write it as http://prometheus:9090", "the source %q does not say where its Prometheus is", x.Name)
		}
		switch {
		case x.Posted():
			if len(x.Keys) == 0 {
				bad(at+".keys", "name a secret: keys: [hook_"+x.Name+"]", "anybody could post to the source %q: it has no key", x.Name)
			}
			if !slices.Contains(posted[x.Kind], x.Signed()) {
				bad(at+".scheme", fmt.Sprint("one of ", posted[x.Kind]), "messages of kind %s cannot be signed by %q", x.Kind, x.Scheme)
			}
		case x.Kind == "alertmanager-pull":
			if x.URL == "" {
				bad(at+".url", "write it as http://alertmanager:9093", "the source %q does not say where its Alertmanager is", x.Name)
			}
		case x.Kind == "schedule":
			if _, err := schedule.Parse(x.Cron, x.Zone); err != nil {
				bad(at+".cron", "write minute, hour, day of the month, month, day of the week: 30 7 * * 1-5", "%s", err)
			}
			if !slices.Contains([]string{"", "skip", "last", "all"}, x.Missed) {
				bad(at+".missed", "skip, last or all", "missed ticks cannot be treated by %q", x.Missed)
			}
		case x.Kind == "silence":
			if x.For <= 0 {
				bad(at+".for", "as in 5m", "the source %q does not say how long a silence is too long", x.Name)
			}
			if x.Watch == nil {
				bad(at+".watch", "as in watch: {source: alertmanager, labels: {alertname: Watchdog}}", "the source %q does not say what it expects", x.Name)
			}
		default:
			bad(at+".kind", "alertmanager, grafana, pagerduty, github, gitlab, jenkins, azuredevops, cloudevents, webhook, alertmanager-pull, schedule or silence", "there is no kind of source %q", x.Kind)
		}
	}
}

// checkIdle refuses settings that the kind does not look at.
func (s *Source) checkIdle(bad Bad, at string) {
	for _, f := range []struct {
		key   string
		given bool
		kinds []string // none: those that services post
	}{
		{"scheme", s.Scheme != "", nil},
		{"keys", len(s.Keys) > 0, nil},
		{"mapping", s.Mapping != nil, []string{"webhook"}},
		{"url", s.URL != "", []string{"alertmanager-pull"}},
		{"every", s.Every != 0, []string{"alertmanager-pull"}},
		{"token", s.Token != "", []string{"alertmanager-pull"}},
		{"prometheus", s.Prometheus != nil, []string{"alertmanager", "alertmanager-pull"}},
		{"changes", s.Changes, []string{"webhook", "cloudevents"}},
		{"cron", s.Cron != "", []string{"schedule"}},
		{"zone", s.Zone != "", []string{"schedule"}},
		{"missed", s.Missed != "", []string{"schedule"}},
		{"for", s.For != 0, []string{"silence"}},
		{"watch", s.Watch != nil, []string{"silence"}},
		{"monitors", s.Monitors, []string{"silence"}},
	} {
		used := slices.Contains(f.kinds, s.Kind) || f.kinds == nil && s.Posted()
		if known := s.Posted() || slices.Contains([]string{"alertmanager-pull", "schedule", "silence"}, s.Kind); f.given && known && !used {
			bad(at+"."+f.key, "remove it", "a source of kind %s does not look at `%s`", s.Kind, f.key)
		}
	}
}
