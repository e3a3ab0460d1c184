package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/oncall"
	"github.com/tendhq/tend/internal/outbox"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// PutSecret says where a secret belongs that is not there.
func PutSecret(name string) string {
	return "put it into secrets.dir, or into the server's environment as TEND_SECRET_" + secret.EnvName(name)
}

// WithoutKeys says what it means that keys of a source are not there, and what to do.
func WithoutKeys(x *config.Source, missing []string) (text, next string) {
	next = PutSecret(missing[0])
	if slices.Contains([]string{"alertmanager", "grafana", "github"}, x.Kind) {
		next = "tend connect " + x.Kind + " --source " + x.Name
	}
	return "its secret is not there, and what it sends is refused: " + strings.Join(missing, ", "), next
}

// Bounds of the questions whether secrets are there.
const (
	secretsHold = 30 * time.Second // an answer: who keeps secrets may be far away, and pages ask often
	secretsTime = 5 * time.Second  // all of them
)

// connected tells what a server is connected to. It asks nobody but whoever keeps secrets.
type connected struct {
	*owned

	conf *config.Server

	mu    sync.Mutex
	known map[string]wire.NamedSecret
	at    time.Time
}

func (c *connected) list(ctx context.Context) (*wire.Connections, error) {
	declared := c.declared()
	find := c.secretsOf(ctx, declared)
	out := &wire.Connections{
		Channels: c.channels(find), Duties: c.onCall(find), Integrations: append(c.integrations(find), declared...), Runners: c.runnersOf(),
		Sources: []wire.Source{}, URL: strings.TrimRight(c.conf.URL, "/"),
	}
	c.mu.Lock()
	out.Sought = c.at
	c.mu.Unlock()
	for i := range out.Integrations {
		if x := &out.Integrations[i]; x.Repository != "" {
			x.Secrets = find(namesOf(x.Secrets)...)
			x.Trouble = without(x.Secrets)
		}
	}
	for i := range c.conf.Sources {
		x, err := c.source(ctx, &c.conf.Sources[i], find)
		if err != nil {
			return nil, err
		}
		out.Sources = append(out.Sources, x)
	}
	return out, nil
}

// finder tells of secrets whether they are there.
type finder func(names ...string) []wire.NamedSecret

func namesOf(list []wire.NamedSecret) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Name
	}
	return out
}

// secretsOf looks for all secrets that anything is connected with, together and at most every now and then.
func (c *connected) secretsOf(ctx context.Context, declared []wire.Integration) finder {
	names := map[string]bool{}
	for i := range c.conf.Sources {
		x := &c.conf.Sources[i]
		for _, n := range sourceKeys(x) {
			names[n] = true
		}
	}
	for _, x := range c.conf.Integrations {
		for _, n := range integrationKeys(x) {
			names[n] = true
		}
	}
	for _, x := range c.conf.OnCall {
		_, token := dutyKind(x)
		names[token] = true
	}
	for i := range declared {
		for _, s := range declared[i].Secrets {
			names[s.Name] = true
		}
	}
	delete(names, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	if now().Sub(c.at) > secretsHold {
		c.known, c.at = map[string]wire.NamedSecret{}, now()
	}
	// Who asked may leave: the answer is for everybody.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), secretsTime, fault.New(fault.Timeout, "it is not known whether it is there: who keeps it did not answer in time"))
	defer cancel()
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if _, ok := c.known[n]; ok {
			continue
		}
		s := wire.NamedSecret{Found: true, Name: n}
		if _, err := c.secrets.Find(ctx, n); err != nil {
			s.Found, s.Why = false, err.Error()
			if ctx.Err() != nil {
				s.Why = context.Cause(ctx).Error()
			}
		}
		c.known[n] = s
	}
	known := maps.Clone(c.known)
	return func(names ...string) []wire.NamedSecret {
		out := []wire.NamedSecret{}
		for _, n := range names {
			if n != "" {
				out = append(out, known[n])
			}
		}
		return out
	}
}

// without tells of the first secret that is not there; nil: all are.
func without(list []wire.NamedSecret) *wire.Trouble {
	i := slices.IndexFunc(list, func(s wire.NamedSecret) bool { return !s.Found })
	if i < 0 {
		return nil
	}
	return &wire.Trouble{Grade: wire.Fail, Text: fmt.Sprintf("it wants the secret %s, which is not there", list[i].Name), Next: PutSecret(list[i].Name)}
}

func sourceKeys(x *config.Source) []string {
	keys := append(slices.Clone(x.Keys), x.Token)
	if x.Prometheus != nil {
		keys = append(keys, x.Prometheus.Token)
	}
	return keys
}

func (c *connected) source(ctx context.Context, x *config.Source, find finder) (wire.Source, error) {
	out := wire.Source{Kind: x.Kind, Name: x.Name, Project: cmp.Or(x.Project, home), Secrets: find(sourceKeys(x)...), Signed: string(x.Signed()), Way: "time"}
	var err error
	if out.Event, out.Heard, err = c.heard(ctx, x.Name); err != nil {
		return out, err
	}
	var missing []string
	for _, s := range out.Secrets {
		if !s.Found {
			missing = append(missing, s.Name)
		}
	}
	if len(missing) > 0 {
		out.Trouble = &wire.Trouble{Grade: wire.Fail}
		out.Trouble.Text, out.Trouble.Next = WithoutKeys(x, missing)
	}
	switch {
	case x.Posted():
		out.Way, out.Hook = "push", "/hooks/"+x.Name
		if t, ok := c.desk.door.Refused(x.Name); ok && out.Trouble == nil {
			out.Trouble = &wire.Trouble{
				Grade: wire.Warn, Since: t.Since, Text: "the last message was refused: " + t.Err.Error(),
				Next: cmp.Or(fault.NextOf(t.Err), "compare what its sender signs with, and how, with `keys` and `scheme` of the source"),
			}
		}
	case x.Kind == "alertmanager-pull":
		out.Way, out.Address = "pull", address(x.URL)
		p := c.desk.pullers[x.Name]
		out.Every = p.Every.String()
		var t intake.Trouble
		if out.Asked, t = p.Last(); t.Err != nil && out.Trouble == nil {
			out.Trouble = &wire.Trouble{Grade: wire.Fail, Since: t.Since, Text: "it cannot be asked: " + told(t.Err), Next: cmp.Or(fault.NextOf(t.Err), "look at monitoring")}
		}
	case x.Kind == "schedule":
		out.Every = strings.TrimSpace(x.Cron + " " + x.Zone)
	case x.Kind == "silence":
		out.Every = value.Duration(x.For).String()
		if since, ok := c.desk.governor.Rules().World.Silent()[x.Name]; ok {
			out.Trouble = &wire.Trouble{Grade: wire.Warn, Since: since, Text: "what it expects is silent: guards stand down", Next: "look at monitoring"}
		}
	}
	return out, nil
}

// recent is how many entries of a source are looked at for the last event: decisions about earlier ones stand between.
const recent = 50

// heard tells which event of a source came last, and when.
func (c *connected) heard(ctx context.Context, source string) (string, time.Time, error) {
	stream := "event/" + source
	head, err := c.desk.ledger.Head(ctx, stream)
	if err != nil || head.Length == 0 {
		return "", time.Time{}, err
	}
	list, err := c.desk.ledger.Read(ctx, stream, max(head.Length, recent)-recent+1, recent)
	if err != nil {
		return "", time.Time{}, err
	}
	for _, e := range slices.Backward(list) {
		if e.Kind != entry.KindEventReceived || e.Erased {
			continue
		}
		p, err := entry.Decode(e)
		if err != nil {
			return "", time.Time{}, err
		}
		if r, ok := p.(*entry.EventReceived); ok {
			return r.ID, e.At, nil
		}
	}
	return "", time.Time{}, nil
}

// told is an error without the address that was asked: that can have something in it which is nobody's business.
func told(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	return err.Error()
}

// address is where somebody is asked, without what may be secret in it.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func integrationKeys(x config.Integration) []string {
	switch {
	case x.Slack != nil:
		return []string{x.Slack.Token, x.Slack.Signing}
	case x.Email != nil:
		return []string{x.Email.Password}
	case x.PagerDuty != nil:
		return []string{x.PagerDuty.Key}
	case x.Webhook != nil:
		return []string{x.Webhook.Key}
	default:
		return nil
	}
}

func (c *connected) integrations(find finder) []wire.Integration {
	out := []wire.Integration{}
	for _, name := range slices.Sorted(maps.Keys(c.conf.Integrations)) {
		x := c.conf.Integrations[name]
		i := wire.Integration{Kind: x.Kind(), Name: name, Secrets: find(integrationKeys(x)...)}
		i.Trouble = without(i.Secrets)
		switch {
		case x.Slack != nil:
			i.Description = x.Slack.Channel
			if x.Slack.Signing != "" {
				i.Hooks = []string{"/slack/command", "/slack/events", "/slack/interactive"}
			}
		case x.Email != nil:
			i.Description = x.Email.From
		case x.Webhook != nil:
			i.Description = address(x.Webhook.URL)
		}
		out = append(out, i)
	}
	return out
}

// declared gives the integrations of the repositories, with the names of their secrets. What is no name of a secret is left out:
// it may be one.
func (c *connected) declared() []wire.Integration {
	out := []wire.Integration{}
	for _, cat := range c.desk.shelf.now.Load().Catalogs() {
		b := cat.Binding()
		for _, s := range cat.Integrations() {
			i := wire.Integration{Description: s.Description, Environment: b.Environment, Kind: s.Type, Name: s.Name, Project: b.Project, Repository: b.Repository}
			for _, n := range s.Secrets() {
				if secret.CheckName(n) == nil {
					i.Secrets = append(i.Secrets, wire.NamedSecret{Name: n})
				}
			}
			out = append(out, i)
		}
	}
	return out
}

func (c *connected) channels(find finder) []wire.Channel {
	out := []wire.Channel{}
	x := c.desk.courier.Load()
	if x == nil {
		return out
	}
	for _, name := range x.Names() {
		s, _ := x.Standing(name)
		w := wire.Channel{Hears: []string{}, Kind: "issues", Name: name, Oldest: s.Oldest, Told: s.Told, Trouble: untold(name, s), Waiting: s.Waiting}
		ch, ok := c.conf.Channels[name]
		if team, follows := strings.CutPrefix(name, threadsPrefix); follows {
			w.Kind, w.Integration = "threads", team
		} else if ok {
			w.Integration, w.Kind, w.Projects, w.Severity = ch.Integration, c.conf.Integrations[ch.Integration].Kind(), ch.Projects, ch.Severity
			for _, h := range []struct {
				name string
				on   bool
			}{{"escalations", ch.Escalations}, {"glass", ch.Glass}, {"pages", ch.Pages}, {"runs", ch.Runs}, {"tasks", ch.Tasks}} {
				if h.on {
					w.Hears = append(w.Hears, h.name)
				}
			}
		} else if r, ok := strings.CutPrefix(name, trackerPrefix); ok {
			for _, x := range c.conf.All() {
				if x.Name == r {
					w.Projects = []string{cmp.Or(x.Project, home)}
				}
			}
		}
		if t := without(find(integrationKeys(c.conf.Integrations[w.Integration])...)); t != nil {
			w.Trouble = t
		}
		out = append(out, w)
	}
	return out
}

// untold tells why messages wait, or that one was given up; nil when neither is so.
func untold(channel string, s outbox.Standing) *wire.Trouble {
	next := "tend messages list --channel " + channel
	switch {
	case s.Fault == nil:
		return nil
	case s.GivenUp:
		return &wire.Trouble{Grade: wire.Warn, Since: s.Failed, Text: "a message was given up: " + s.Fault.Message, Next: next + " shows it"}
	default:
		return &wire.Trouble{Grade: wire.Fail, Since: s.Oldest, Text: "messages wait: " + s.Fault.Message, Next: "they are tried again by themselves for a day; " + next + " shows them"}
	}
}

func (c *connected) runnersOf() []wire.ConnectedRunner {
	out := []wire.ConnectedRunner{}
	for _, name := range slices.Sorted(maps.Keys(c.conf.Runners)) {
		x := c.conf.Runners[name].SSH
		r := wire.ConnectedRunner{Host: x.Host, Jump: x.Jump, Kind: "ssh", Name: name, Port: x.Port, User: x.User}
		for key, file := range map[string]string{"identity": x.Identity, "knownHosts": x.KnownHosts} {
			if file == "" {
				continue
			}
			if _, err := os.Stat(file); err != nil {
				what := "cannot be looked at"
				if errors.Is(err, fs.ErrNotExist) {
					what = "is not there"
				}
				r.Trouble = &wire.Trouble{Grade: wire.Fail, Text: fmt.Sprintf("the file that its %s names %s", key, what), Next: fmt.Sprintf("correct `runners.%s.ssh.%s`, or put the file there", name, key)}
			}
		}
		out = append(out, r)
	}
	return out
}

// dutyKind tells who says whose turn it is, and the name of the secret that it is asked with.
func dutyKind(o config.OnCall) (kind, token string) {
	switch {
	case o.PagerDuty != nil:
		return "pagerduty", o.PagerDuty.Token
	case o.Grafana != nil:
		return "grafana", o.Grafana.Token
	case o.Jira != nil:
		return "jira", o.Jira.Token
	case o.Calendar != "":
		return "calendar", ""
	default:
		return "rotation", ""
	}
}

func (c *connected) onCall(find finder) []wire.Duty {
	out := []wire.Duty{}
	for _, name := range slices.Sorted(maps.Keys(c.conf.OnCall)) {
		kind, token := dutyKind(c.conf.OnCall[name])
		d := wire.Duty{Kind: kind, Name: name, People: append([]string{}, c.desk.duties.now(name)...), Secrets: find(token)}
		if x := c.desk.duties.watches[name]; x != nil {
			var err error
			if d.Asked, err = x.Last(); err != nil {
				d.Trouble = &wire.Trouble{Grade: wire.Fail, Text: "it cannot be asked: " + told(err), Next: cmp.Or(fault.NextOf(err), fmt.Sprintf("what it said holds for %s, then nobody has the duty", oncall.Holds))}
			}
		}
		why := c.desk.duties.unread(name)
		switch t := without(d.Secrets); {
		case t != nil:
			d.Trouble = t
		case why != "":
			d.Trouble = &wire.Trouble{Grade: wire.Fail, Text: "its calendar cannot be read, and what it said before holds: " + why, Next: "correct the file, or `onCall." + name + ".calendar`"}
		case d.Trouble == nil && len(d.People) == 0:
			d.Trouble = &wire.Trouble{Grade: wire.Warn, Text: "nobody has it now: who is called by it is not reached", Next: "look at `onCall." + name + "`, and at who keeps the schedule"}
		}
		out = append(out, d)
	}
	return out
}
