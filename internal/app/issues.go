package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/action/tell"
	"github.com/tendhq/tend/internal/catalog"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/courier"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	news "github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/message/issue"
	"github.com/tendhq/tend/internal/value"
)

// trackerPrefix begins the names of the channels that issues go through; a channel of the configuration has no slash.
const trackerPrefix = "issues/"

// trackers are the channels through which action items become issues, one for each repository that has them.
func (w *owned) trackers(s *server, d *desk, dial tell.Dial) []courier.Channel {
	var out []courier.Channel
	list := s.Config.All()
	for i := range list {
		r := &list[i]
		t, ok := r.Tracker()
		if !ok {
			continue
		}
		out = append(out, courier.Channel{
			Name: trackerPrefix + r.Name,
			Sender: func(ctx context.Context) (news.Sender, error) {
				token, err := w.secrets.Find(ctx, t.Token)
				if err != nil {
					return nil, fault.Wrap(fault.Missing, err, "make issues for the repository %s", r.Name)
				}
				return issue.New(issue.Config{
					Kind: t.Kind, URL: t.URL, Project: t.Project, Labels: t.Labels, Token: token.Value, Call: exchange.Caller{Dial: dial},
				})
			},
			Items: func(st *incident.State) bool {
				name, _ := repositoryOf(st, d.shelf.now.Load(), list)
				return name == r.Name
			},
			Told: d.issued,
		})
	}
	return out
}

// issued writes into an incident what became of an action item elsewhere. Said twice it says nothing new.
func (d *desk) issued(ctx context.Context, q *entry.MessageQueued, remote value.Object, why string) error {
	x := d.dispatch.Load()
	_, item, ok := strings.Cut(q.Thread, "/")
	if x == nil || !ok {
		return nil
	}
	url := issue.From(remote).URL
	self := entry.Who{ID: "tend", Name: "tend", Via: "engine"}
	_, err := x.ChangeIncident(ctx, q.Incident, nil, self, "planned", "", func(st *incident.State, _ time.Time) ([]entry.Payload, error) {
		i := slices.IndexFunc(st.Items, func(i entry.IncidentItem) bool { return i.ID == item })
		if i < 0 || st.Items[i].URL != "" || url == "" && st.Items[i].Kept == why {
			return nil, nil
		}
		n := st.Items[i]
		n.By, n.URL, n.Kept = self, url, why
		return st.Plan(n)
	})
	return err
}

// kept says why an action item of an incident stays here; "" when it becomes an issue.
func (w *owned) kept(ctx context.Context, s *server, st *incident.State) string {
	list := s.Config.All()
	name, why := repositoryOf(st, w.desk.shelf.now.Load(), list)
	if name == "" {
		return why
	}
	i := slices.IndexFunc(list, func(r config.Repository) bool { return r.Name == name })
	t, _ := list[i].Tracker()
	if _, err := w.secrets.Find(ctx, t.Token); err != nil {
		return fmt.Sprintf("the secret %s, with which issues are made for the repository %s, is not there", t.Token, name)
	}
	return ""
}

// repositoryOf finds the repository whose issues are for an incident: that of the playbook which ran for it last, else of its
// trigger, else the only one of its project that has issues. Without one it says why.
func repositoryOf(st *incident.State, set *catalog.Set, list []config.Repository) (name, why string) {
	from := ""
	for _, r := range slices.Backward(st.Runs) {
		if from = catalogOf(set, st.Project, func(c *catalog.Catalog) bool { _, err := c.Playbook(st.Project, "", r.Playbook); return err == nil }); from != "" {
			break
		}
	}
	if from == "" && st.Trigger != "" {
		from = catalogOf(set, st.Project, func(c *catalog.Catalog) bool {
			for _, t := range c.Triggers() {
				if t.Name == st.Trigger {
					return true
				}
			}
			return false
		})
	}
	var able []string
	for i := range list {
		r := &list[i]
		_, ok := r.Tracker()
		switch {
		case from != "" && r.Name == from && ok:
			return from, ""
		case from == "" && ok && (r.Project == st.Project || r.Project == "" && st.Project == home):
			able = append(able, r.Name)
		}
	}
	switch {
	case from != "":
		return "", fmt.Sprintf("the repository %s has no token for issues", from)
	case len(able) == 1:
		return able[0], ""
	case len(able) == 0:
		return "", "no repository of its project has a token for issues"
	default:
		return "", fmt.Sprintf("no playbook ran for it, and several repositories have issues: %s", strings.Join(able, ", "))
	}
}

// catalogOf names the repository of the first catalog of a project in which something is.
func catalogOf(set *catalog.Set, project string, in func(*catalog.Catalog) bool) string {
	for _, c := range set.Catalogs() {
		if c.Project() == project && in(c) {
			return c.Binding().Repository
		}
	}
	return ""
}
