package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/calendar"
)

// Integration is a named connection to another service. One of its sections says to which.
type Integration struct {
	// Slack is a workspace.
	Slack *Slack `yaml:"slack"`
	// Email is a mail server.
	Email *Email `yaml:"email"`
	// PagerDuty is a service of PagerDuty, by its Events API v2.
	PagerDuty *PagerDuty `yaml:"pagerduty"`
	// Webhook is another program, by Standard Webhooks.
	Webhook *Webhook `yaml:"webhook"`
}

// Slack is a workspace, by an app of yours in it.
type Slack struct {
	// Token is the name of the secret with the bot's token (xoxb-…).
	Token string `yaml:"token"`
	// Signing is the name of the secret that Slack signs its requests with. Without it there are no buttons and no command.
	Signing string `yaml:"signing"`
	// Team is the id of the workspace (T…): requests of others are refused, whoever signed them.
	Team string `yaml:"team"`
	// Channel is where messages without an address go.
	Channel string `yaml:"channel"`
	// URL is the address of its API. Default: Slack's.
	URL string `yaml:"url"`
}

// Email is a mail server that takes mail for others.
type Email struct {
	// Host is its name or address.
	Host string `yaml:"host"`
	// Port is 587 when it is not said, or 465 with `tls: implicit`.
	Port int `yaml:"port"`
	// TLS is starttls (default), implicit, or none for a server on this machine.
	TLS string `yaml:"tls"`
	// User is who logs in; without it nobody does.
	User string `yaml:"user"`
	// Password is the name of the secret that it logs in with.
	Password string `yaml:"password"`
	// From is the address that mails come from, with or without a name.
	From string `yaml:"from"`
	// To are the addresses that mails without an address go to.
	To []string `yaml:"to"`
	// CA is a file with the certificates to trust in place of the system's, in PEM.
	CA string `yaml:"ca" path:"true"`
}

// PagerDuty is a service of PagerDuty.
type PagerDuty struct {
	// Key is the name of the secret with its integration key.
	Key string `yaml:"key"`
	// URL is the address of the Events API. Default: PagerDuty's; the EU's is https://events.eu.pagerduty.com.
	URL string `yaml:"url"`
}

// Webhook is another program that is told.
type Webhook struct {
	// URL is where it is posted to.
	URL string `yaml:"url"`
	// Key is the name of the secret that messages are signed with (whsec_…).
	Key string `yaml:"key"`
}

// Channel is a way to tell people what happens.
type Channel struct {
	// Integration is what it goes through.
	Integration string `yaml:"integration"`
	// To are the places that it goes to: one Slack channel, or addresses. Default: the integration's.
	To []string `yaml:"to"`
	// Severity is the least that an incident must have to be told: info, minor, major or critical. Default: info.
	Severity string `yaml:"severity"`
	// Projects are those that are told. Default: all.
	Projects []string `yaml:"projects"`
	// Labels that the incident must have.
	Labels map[string]string `yaml:"labels"`
	// Tasks says that also the questions of runs are told: approvals, forms, work. In Slack they can be answered there.
	Tasks bool `yaml:"tasks"`
	// Escalations says that those questions are told of which nobody decided in time: a pager that is called only then.
	Escalations bool `yaml:"escalations"`
	// Glass says that it is told when somebody breaks the glass. Where no channel says so, all are told.
	Glass bool `yaml:"glass"`
	// Runs says that also what runs do is told, in a thread for each: that of its incident, or one of its own.
	Runs bool `yaml:"runs"`
	// Pages says that people who are called to an incident are called through it, whatever its severity: by the pager, in Slack each
	// in a direct message, by mail. A page that names the channel goes there in any case.
	Pages bool `yaml:"pages"`
	// Budget is how many messages go within a minute; of the rest one says how many there were. Default: 30.
	Budget int `yaml:"budget"`
}

// OnCall is a duty. Who has it is in the group oncall/NAME, which approvals can ask: `from: [oncall/database]`.
type OnCall struct {
	// Calendar is a file in the format of iCalendar: the attendees of what goes on have the duty.
	Calendar string `yaml:"calendar" path:"true"`
	// Zone is the time zone of the rotation, and of a calendar that names none. Default: UTC.
	Zone string `yaml:"zone"`
	// People take turns: addresses, as they sign on with them.
	People []string `yaml:"people"`
	// Start is when the first of them begins: 2026-01-05 09:00.
	Start string `yaml:"start"`
	// Days is how long each has it. Default: 7.
	Days int `yaml:"days"`
	// PagerDuty is a schedule there, by the REST API v2.
	PagerDuty *PagerDutySchedule `yaml:"pagerduty"`
	// Grafana is a schedule of Grafana OnCall or Grafana IRM.
	Grafana *GrafanaSchedule `yaml:"grafana"`
	// Jira is a schedule of Jira Service Management.
	Jira *JiraSchedule `yaml:"jira"`
}

// PagerDutySchedule is a schedule in PagerDuty.
type PagerDutySchedule struct {
	// Token is the name of the secret with a REST API key; one that may only read suffices.
	Token string `yaml:"token"`
	// Schedule is its id (P…).
	Schedule string `yaml:"schedule"`
	// URL is the address of the REST API. Default: PagerDuty's; the EU's is https://api.eu.pagerduty.com.
	URL string `yaml:"url"`
}

// GrafanaSchedule is a schedule in Grafana OnCall.
type GrafanaSchedule struct {
	// Token is the name of the secret with an API key of OnCall, or the token of a service account.
	Token string `yaml:"token"`
	// Schedule is its id (S…).
	Schedule string `yaml:"schedule"`
	// URL is the address of the OnCall API, as its settings show it.
	URL string `yaml:"url"`
	// Stack is the address of the Grafana, which a service account's token needs: https://acme.grafana.net.
	Stack string `yaml:"stack"`
}

// JiraSchedule is a schedule in Jira Service Management.
type JiraSchedule struct {
	// Token is the name of the secret with an API token.
	Token string `yaml:"token"`
	// User is the mail address that it belongs to.
	User string `yaml:"user"`
	// Cloud is the id of the site, which https://acme.atlassian.net/_edge/tenant_info tells.
	Cloud string `yaml:"cloud"`
	// Site is the address of the Jira, which tells the mail addresses of accounts.
	Site string `yaml:"site"`
	// Schedule is its id.
	Schedule string `yaml:"schedule"`
	// Accounts name the mail addresses of accounts that hide theirs.
	Accounts map[string]string `yaml:"accounts"`
	// URL is the address of the operations API. Default: Atlassian's.
	URL string `yaml:"url"`
}

// Rotation gives a duty that people take turns with.
func (o OnCall) Rotation() (calendar.Rotation, error) {
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		return calendar.Rotation{}, err
	}
	start, err := time.ParseInLocation("2006-01-02 15:04", o.Start, zone)
	r := calendar.Rotation{Start: start, Days: cmp.Or(o.Days, 7), People: o.People}
	if err == nil {
		err = r.Check()
	}
	return r, err
}

func (s *Server) checkOnCall(bad Bad) {
	for _, n := range slices.Sorted(maps.Keys(s.OnCall)) {
		at, o := "onCall."+n, s.OnCall[n]
		if _, err := time.LoadLocation(o.Zone); err != nil {
			bad(at+".zone", "as in Europe/Berlin", "there is no time zone %q", o.Zone)
			continue
		}
		ways := 0
		for _, given := range []bool{o.Calendar != "", len(o.People) > 0, o.PagerDuty != nil, o.Grafana != nil, o.Jira != nil} {
			if given {
				ways++
			}
		}
		switch {
		case ways != 1:
			bad(at, "give one of people, calendar, pagerduty, grafana and jira", "the duty %q must say who has it, once", n)
		case o.elsewhere():
			o.checkSchedule(bad, at, n)
		case o.Calendar != "" && (o.Start != "" || o.Days != 0):
			bad(at, "remove `start` and `days`", "the duty %q is in a calendar, which says itself when whose turn it is", n)
		case len(o.People) > 0:
			if _, err := o.Rotation(); err != nil {
				bad(at, "as in start: 2026-01-05 09:00", "the duty %q: %v", n, err)
			}
		}
	}
}

// elsewhere tells whether another service knows who has the duty.
func (o OnCall) elsewhere() bool { return o.PagerDuty != nil || o.Grafana != nil || o.Jira != nil }

// checkSchedule looks at a schedule of another service.
func (o OnCall) checkSchedule(bad Bad, at, name string) {
	need := func(key, given string) {
		if given == "" {
			bad(at+"."+key, "", "the duty %q does not say its %s", name, key)
		}
	}
	if o.Start != "" || o.Days != 0 || o.Zone != "" {
		bad(at, "remove `start`, `days` and `zone`", "the duty %q is in a schedule, which says itself when whose turn it is", name)
	}
	switch {
	case o.PagerDuty != nil:
		need("pagerduty.token", o.PagerDuty.Token)
		need("pagerduty.schedule", o.PagerDuty.Schedule)
		address(bad, at+".pagerduty.url", o.PagerDuty.URL, true)
	case o.Grafana != nil:
		need("grafana.token", o.Grafana.Token)
		need("grafana.schedule", o.Grafana.Schedule)
		address(bad, at+".grafana.url", o.Grafana.URL, false)
		address(bad, at+".grafana.stack", o.Grafana.Stack, true)
	case o.Jira != nil:
		need("jira.token", o.Jira.Token)
		need("jira.user", o.Jira.User)
		need("jira.cloud", o.Jira.Cloud)
		need("jira.schedule", o.Jira.Schedule)
		address(bad, at+".jira.site", o.Jira.Site, false)
		address(bad, at+".jira.url", o.Jira.URL, true)
	}
}

// Kind tells which section an integration has.
func (i Integration) Kind() string {
	switch {
	case i.Slack != nil:
		return "slack"
	case i.Email != nil:
		return "email"
	case i.PagerDuty != nil:
		return "pagerduty"
	case i.Webhook != nil:
		return "webhook"
	default:
		return ""
	}
}

func (c *Config) checkIntegrations(bad Bad) {
	for _, n := range slices.Sorted(maps.Keys(c.Integrations)) {
		at, i := "integrations."+n, c.Integrations[n]
		count := 0
		for _, given := range []bool{i.Slack != nil, i.Email != nil, i.PagerDuty != nil, i.Webhook != nil} {
			if given {
				count++
			}
		}
		if count != 1 {
			bad(at, "give one of slack, email, pagerduty and webhook", "the integration %q must say what it connects to, once", n)
			continue
		}
		secret := func(key, name string) {
			if name == "" {
				bad(at, "name a secret, never the secret itself", "the integration %q does not say which secret its %s is", n, key)
			}
		}
		switch {
		case i.Slack != nil:
			secret("token", i.Slack.Token)
			address(bad, at+".slack.url", i.Slack.URL, true)
			if i.Slack.Signing != "" && !strings.HasPrefix(i.Slack.Team, "T") {
				bad(at+".slack.team", "write its id: T0123456789", "the integration %q takes buttons and commands, and does not say of which workspace", n)
			}
			if strings.HasPrefix(i.Slack.Token, "xox") {
				bad(at+".slack.token", "make a secret of it, and replace it in Slack", "a token stands in the configuration, where the name of a secret belongs")
			}
		case i.PagerDuty != nil:
			secret("key", i.PagerDuty.Key)
			address(bad, at+".pagerduty.url", i.PagerDuty.URL, true)
		case i.Webhook != nil:
			secret("key", i.Webhook.Key)
			address(bad, at+".webhook.url", i.Webhook.URL, false)
		case i.Email != nil:
			i.Email.check(bad, at+".email", n)
		}
	}
}

func (e *Email) check(bad Bad, at, name string) {
	if e.Host == "" {
		bad(at+".host", "", "the integration %q does not say which mail server it goes through", name)
	}
	if _, err := mail.ParseAddress(e.From); err != nil {
		bad(at+".from", "write it as tend <tend@example.org>", "mails of the integration %q come from %q, which is no address", name, e.From)
	}
	for _, a := range e.To {
		if _, err := mail.ParseAddress(a); err != nil {
			bad(at+".to", "write it as team@example.org", "%q is no address", a)
		}
	}
	if !slices.Contains([]string{"", "starttls", "implicit", "none"}, e.TLS) {
		bad(at+".tls", "starttls, implicit or none", "tls %q is not known", e.TLS)
	}
	if e.TLS == "none" && !Loopback(e.Host) {
		bad(at+".tls", "use starttls or implicit", "mail to %s could be read on its way", e.Host)
	}
	if (e.User == "") != (e.Password == "") {
		bad(at, "give both or none", "user and password belong together: one of them is missing")
	}
	if e.Port < 0 || e.Port > 65535 {
		bad(at+".port", "", "port %d is not between 1 and 65535", e.Port)
	}
}

// address checks where messages are sent. Outside of this machine only https keeps what is said to oneself.
func address(bad Bad, at, text string, optional bool) {
	if text == "" && optional {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		bad(at, "write it as https://example.org/path", "%q is not an address", text)
	case u.User != nil:
		bad(at, "", "an address must not hold credentials")
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		bad(at, "use https", "%s could be read on the way to it", net.JoinHostPort(u.Hostname(), "80"))
	}
}

func (s *Server) checkChannels(bad Bad) {
	for _, n := range slices.Sorted(maps.Keys(s.Channels)) {
		at, c := "channels."+n, s.Channels[n]
		if n == "" || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(n) > 60 {
			bad(at, "small letters, digits, - and _", "a channel cannot be named %q", n)
		}
		i, ok := s.Integrations[c.Integration]
		switch {
		case !ok:
			bad(at+".integration", "one of `integrations`: "+strings.Join(slices.Sorted(maps.Keys(s.Integrations)), ", "), "the channel %q goes through %q, which is no integration", n, c.Integration)
		case i.Slack != nil && i.Slack.Channel == "" && len(c.To) == 0, i.Email != nil && len(i.Email.To) == 0 && len(c.To) == 0:
			bad(at+".to", "say it here or in the integration", "the channel %q does not say where it goes to", n)
		case i.Slack != nil && len(c.To) > 1:
			bad(at+".to", "make a channel of each", "the channel %q goes to several places, and a thread is in one", n)
		}
		if !slices.Contains([]string{"", "info", "minor", "major", "critical"}, c.Severity) {
			bad(at+".severity", "info, minor, major or critical", "severity %q is not known", c.Severity)
		}
		if c.Runs && i.PagerDuty != nil {
			bad(at+".runs", "let a channel follow runs where people read", "the channel %q would call somebody for every run", n)
		}
		if c.Budget < 0 {
			bad(at+".budget", "", fmt.Sprintf("budget %d is less than none", c.Budget))
		}
	}
}
