package courier

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/news"
	"github.com/tendhq/tend/internal/outbox"
	"github.com/tendhq/tend/internal/store"
)

// Reach tells whether somebody is called when these are: people, duties and channels, as a page of an incident names them. The
// error, of kind fault.Unavailable, says what is missing.
func (c *Courier) Reach(targets []string) error {
	for _, ch := range c.c.Channels {
		if ch.calls(targets) {
			return nil
		}
	}
	return NobodyCalled(targets)
}

// NobodyCalled says that nobody would hear of a page.
func NobodyCalled(targets []string) error {
	return fault.New(fault.Unavailable, "nobody would be called: no channel carries pages, and none is named %s", strings.Join(targets, " or ")).
		WithNext("set `pages: true` on a channel of the configuration, as that of a pager")
}

// calls tells whether a channel carries a page: all of them, or those that name it.
func (ch *Channel) calls(targets []string) bool {
	return ch.Pages || !ch.Quiet && ch.Items == nil && slices.Contains(targets, ch.Name)
}

// pages makes the news of people being called, whatever else is told of the incident. Each page is a story of its own, so that it
// calls although the incident is known already.
func (c *Courier) pages(s *incident.State, x *entry.IncidentPaged, e entry.Entry) []News {
	if time.Since(e.At) > outbox.Patience {
		return nil
	}
	var people []string
	if c.c.People != nil {
		people = c.c.People(x.Targets)
	}
	var out []News
	for _, ch := range c.c.Channels {
		if !ch.calls(x.Targets) || e.At.Before(c.channels[ch.Name].since) {
			continue
		}
		key := fmt.Sprintf("%s/page/%d", s.ID, e.Seq)
		w := News{
			Channel: ch.Name, Once: key, Thread: key, Project: s.Project, Incident: s.ID, At: e.At, Urgent: true,
			Message: message.Message{Type: "page", Step: message.Opens, Key: key, Severity: string(incident.Critical), Title: s.Title, Text: x.Message},
		}
		m := &w.Message
		if l := news.Page(c.c.URL, "/incidents/"+s.ID); l != "" {
			m.Links = []entry.Link{{Name: s.ID, URL: l}}
		}
		m.Facts = []message.Fact{
			{Name: "called", Value: strings.Join(x.Targets, ", ")},
			{Name: "by", Value: x.By.Name},
			{Name: "severity", Value: string(s.Severity)},
			{Name: "incident", Value: s.ID},
		}
		switch {
		case ch.Persons == Each && len(people) > 0:
			for _, p := range people {
				one := w
				one.Once, one.Thread = key+"@"+p, key+"@"+p
				one.Message.To = []string{p}
				out = append(out, one)
			}
			continue
		case ch.Persons == Together:
			m.To = people
		}
		out = append(out, w)
	}
	return out
}

// called tells those who were called that somebody has it, or that it is over. queued is what was made news of meanwhile.
func (c *Courier) called(ctx context.Context, s *incident.State, m *message.Message, e entry.Entry, queued []News) ([]News, error) {
	if m == nil || m.Step != message.Takes && m.Step != message.Ends {
		return nil, nil
	}
	threads := map[string]News{}
	for _, w := range queued {
		if w.Message.Type == "page" {
			threads[w.Channel+" "+w.Thread] = w
		}
	}
	err := c.c.Ledger.Each(ctx, store.Filter{Kind: rowMessage, Parent: s.ID}, func(r store.Row) error {
		if !strings.HasPrefix(r.Tag, s.ID+"/page/") {
			return nil
		}
		var b Row
		if err := json.Unmarshal(r.Body, &b); err != nil {
			return fault.Wrap(fault.Damaged, err, "read message %s", r.ID)
		}
		first := outbox.Decode(&b.Queued, r.At)
		threads[r.Name+" "+r.Tag] = News{Channel: r.Name, Thread: r.Tag, Message: message.Message{Key: first.Key, To: first.To}}
		return nil
	})
	var out []News
	for _, k := range slices.Sorted(maps.Keys(threads)) {
		t := threads[k]
		if c.channels[t.Channel] == nil {
			continue
		}
		w := News{
			Channel: t.Channel, Once: fmt.Sprintf("%s#%d", t.Thread, e.Seq), Thread: t.Thread, Project: s.Project, Incident: s.ID, At: e.At, Urgent: true,
			Message: message.Message{Type: "page", Step: m.Step, Key: t.Message.Key, To: t.Message.To, Title: m.Title, Text: m.Text, Links: m.Links},
		}
		out = append(out, w)
	}
	return out, err
}
