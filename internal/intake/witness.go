package intake

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Witness asks a Prometheus whether what ended was repaired. Prometheus ends an alert in the same way when its expression does
// not hold any more and when there is nothing left that it could hold for: the exporter is down, the target was removed. An
// Alertmanager cannot tell these apart, and neither can its message. So whoever is told that an alert of a target (its labels
// job and instance) is over looks whether the target is still scraped, by the metric up. A target that was scraped within the
// last hours and is not now has vanished; so has one of which Prometheus, when it does not answer, cannot speak.
//
// What has no instance, or one that Prometheus does not scrape under this name, is over when its sender says so.
type Witness struct {
	Sources map[string]*Prometheus // by the name of the source whose alerts they know
	Inner   Acceptor
	Log     *slog.Logger
}

// Prometheus is where targets are scraped.
type Prometheus struct {
	URL    string
	Token  func(ctx context.Context) (secret.Value, error) // nil: none
	Client *http.Client

	mu    sync.Mutex
	at    time.Time
	known map[target]bool // whether it is scraped now, of what was scraped lately
}

type target struct{ job, instance string }

const (
	// lately is how long a target is remembered after it was scraped last.
	lately = "6h"
	// fresh is how long an answer counts: many alerts can end at once.
	fresh = 2 * time.Second
	// answerWithin bounds the wait for an answer: whoever posted the alert waits too.
	answerWithin = 3 * time.Second
)

// Accept implements Acceptor: events go on as they are, but for those that ended because nobody looks any more.
func (w *Witness) Accept(ctx context.Context, events []event.Event) ([]dispatch.Receipt, error) {
	return w.Inner.Accept(ctx, w.judge(ctx, events))
}

func (w *Witness) judge(ctx context.Context, events []event.Event) []event.Event {
	var out []event.Event
	for i := range events {
		e := &events[i]
		p := w.Sources[e.Source]
		if p == nil || e.Status != event.Resolved || e.Labels["instance"] == "" {
			continue
		}
		var why string
		switch scraped, known, err := p.scrapes(ctx, target{e.Labels["job"], e.Labels["instance"]}); {
		case err != nil:
			w.Log.Warn("nobody can say whether an alert that ended was repaired", "source", e.Source, "alert", e.Name, "error", err)
			why = "Prometheus cannot be asked whether " + e.Labels["instance"] + " is still scraped"
		case known && !scraped:
			why = e.Labels["instance"] + " is not scraped any more"
		default:
			continue
		}
		if out == nil {
			out = append([]event.Event(nil), events...)
		}
		out[i] = vanished(*e, why)
	}
	if out == nil {
		return events
	}
	return out
}

// vanished is the end of an alert as what it was. Its key is another one than that of a repair, which may come later.
func vanished(e event.Event, why string) event.Event {
	data := make(map[string]any, len(e.Data)+1)
	for k, v := range e.Data {
		data[k] = v
	}
	data["status"], data["vanished"] = string(event.Vanished), why
	e.Data, e.Status = data, event.Vanished
	e.Key = strings.TrimSuffix(e.Key, "/"+string(event.Resolved)) + "/" + string(event.Vanished)
	e.ID = event.ID(e.Project, e.Source, e.Key, e.At)
	return e
}

// scrapes tells whether a target is scraped now, and whether it was lately.
func (p *Prometheus) scrapes(ctx context.Context, t target) (now, known bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) > fresh || p.known == nil {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		known, err := p.look(ctx)
		if err != nil {
			return false, false, err
		}
		p.known, p.at = known, time.Now()
	}
	if t.job != "" {
		now, known = p.known[t]
		if known {
			return now, known, nil
		}
	}
	for x, up := range p.known { // an alert may have lost the label job
		if x.instance == t.instance {
			now, known = now || up, true
		}
	}
	return now, known, nil
}

// look asks which targets were scraped lately, and of these which are scraped now.
func (p *Prometheus) look(ctx context.Context) (map[target]bool, error) {
	out := map[target]bool{}
	for _, q := range []struct {
		query string
		up    bool
	}{{"max_over_time(up[" + lately + "]) == 1", false}, {"up == 1", true}} {
		list, err := p.query(ctx, q.query)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			out[t] = q.up
		}
	}
	return out, nil
}

// query asks for an instant vector: GET /api/v1/query of Prometheus.
func (p *Prometheus) query(ctx context.Context, query string) ([]target, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "address the Prometheus")
	}
	u = u.JoinPath("api", "v1", "query")
	u.RawQuery = url.Values{"query": {query}}.Encode()
	res, err := get(ctx, p.Client, p.Token, u, "the Prometheus")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxList))
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "read the answer of the Prometheus")
	}
	return answered(b, res.StatusCode, u.Host)
}

// answered reads the answer to a query.
func answered(b []byte, status int, host string) ([]target, error) {
	var a struct {
		Status string `json:"status"`
		Data   struct {
			Type   string `json:"resultType"`
			Result []struct {
				Metric map[string]string `json:"metric"`
			} `json:"result"`
		} `json:"data"`
	}
	if status != http.StatusOK {
		return nil, fault.New(fault.Status, "the Prometheus at %s answers %d", host, status)
	}
	if err := json.Unmarshal(b, &a); err != nil || a.Status != "success" || a.Data.Type != "vector" {
		return nil, fault.New(fault.Invalid, "the answer of the Prometheus at %s is no vector", host)
	}
	out := make([]target, len(a.Data.Result))
	for i, r := range a.Data.Result {
		out[i] = target{r.Metric["job"], r.Metric["instance"]}
	}
	return out, nil
}
