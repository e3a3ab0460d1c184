package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/governor"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
	"github.com/tendhq/tend/internal/trigger"
	"github.com/tendhq/tend/internal/value"
)

// desk is a dispatcher over a house: twenty triggers, of which the last one takes every tenth alert, opens an incident for
// each group and has one run for each that goes on.
type desk struct {
	*house

	ledger   *ledger.Ledger
	dispatch *dispatch.Dispatch
	program  *program.Program
	first    *program.Program // of a parameter, which its step is given
	n        atomic.Int64
}

func openDesk(ctx context.Context, where string) (*desk, error) {
	h, err := open(ctx, where, true)
	if err != nil {
		return nil, err
	}
	d := &desk{house: h}
	if d.program, err = h.compile("steps:\n" + noopStep); err != nil {
		return nil, err
	}
	if d.first, err = h.compile("parameters: [{name: name, type: string}]\nsteps:\n  - {uses: noop, effect: read, with: {script: '{{ $.params.name }}'}}\n"); err != nil {
		return nil, err
	}
	ev := expr.New(expr.Limits{})
	rules := &dispatch.Rules{Evaluator: ev, Triggers: map[string][]*trigger.Spec{}}
	first := "apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: first}\non: {labels: {first: 'first-*'}}\n"
	first += "playbook: first\nkey: '{{ $.event.labels.first }}'\nparameters: {name: '{{ $.event.labels.first }}'}\n"
	texts := []string{first}
	for i := range 20 {
		text := fmt.Sprintf("apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t%d}\non: {labels: {alertname: Alert%d}}\nwhen: event.labels.severity == 'critical'\n", i, i)
		text += "playbook: bench\nkey: '{{ $.event.labels.cluster }}'\nincident: {title: '{{ $.event.labels.cluster }}', resolve: true}\n"
		texts = append(texts, text)
	}
	for _, text := range texts {
		docs, findings := document.Kinds{trigger.Definition()}.Parse("t.yaml", []byte(text))
		s, ok := docs[0].Content.(*trigger.Spec)
		if !ok || len(findings) > 0 {
			return nil, fmt.Errorf("read a trigger: %v", findings)
		}
		rules.Triggers["default"] = append(rules.Triggers["default"], s)
	}
	d.ledger = ledger.Open(h.store, h.engine.Lease(), nil)
	gate, err := governor.Open(ctx, governor.Config{Ledger: d.ledger, File: filepath.Join(where, "halt")}) // with the default guards
	if err != nil {
		return nil, err
	}
	// Twenty alarms in five minutes are a storm, in which nothing is repaired. This one is the measure.
	gate.SetGuards(map[string][]guard.Spec{"default": {{Name: "default-stand-down", Then: string(guard.Hold), StandDown: &guard.StandDown{
		Alarms: 1 << 30, Within: value.Duration(time.Minute), For: value.Duration(time.Minute), Blind: value.Duration(time.Minute),
	}}}})
	d.dispatch, err = dispatch.Open(ctx, dispatch.Config{Ledger: d.ledger, Engine: h.engine, Catalog: d, Gate: gate, Rules: rules, Bind: ev})
	if err != nil {
		return nil, err
	}
	idle := d.dispatch.Idle
	d.idle.Store(&idle)
	return d, nil
}

// Playbook implements dispatch.Catalog.
func (d *desk) Playbook(_ context.Context, _, name, _ string) (dispatch.Playbook, error) {
	if name == "first" {
		return dispatch.Playbook{Program: d.first}, nil
	}
	return dispatch.Playbook{Program: d.program}, nil
}

func (d *desk) close(ctx context.Context) error {
	return errors.Join(d.dispatch.Close(ctx), d.ledger.Close(ctx), d.house.close(ctx))
}

// someAlerts makes n alerts that were not there before, as Alertmanager and Prometheus post them; count numbers them.
func someAlerts(n int, count *atomic.Int64) []any {
	alerts := make([]any, n)
	for i := range alerts {
		k := count.Add(1)
		name := "Alert19"
		if k%10 != 0 {
			name = fmt.Sprint("Other", k%7)
		}
		alerts[i] = map[string]any{
			"status": "firing", "fingerprint": fmt.Sprintf("%016x", k), "startsAt": time.Now().UTC().Format(time.RFC3339Nano),
			"labels": map[string]string{
				"alertname": name, "severity": "critical", "cluster": fmt.Sprint("c", k%50), "instance": fmt.Sprintf("web-%d:9100", k), "job": "node", "namespace": "shop",
			},
			"annotations":  map[string]string{"summary": "The disk of an instance fills up and will be full within four hours.", "runbook_url": "https://runbooks.example.org/disk"},
			"generatorURL": "http://prometheus.example.org/graph?g0.expr=node_filesystem_avail_bytes",
		}
	}
	return alerts
}

// postedAlerts is a message of n alerts as Alertmanager posts it (version 4).
func postedAlerts(n int, count *atomic.Int64) ([]byte, error) {
	alerts := someAlerts(n, count)
	return json.Marshal(map[string]any{
		"version": "4", "receiver": "tend", "status": "firing", "groupKey": "{}:{alertname=\"x\"}", "groupLabels": map[string]string{"alertname": "x"},
		"commonLabels": map[string]string{"severity": "critical"}, "externalURL": "http://alertmanager.example.org", "alerts": alerts,
	})
}

func (d *desk) message(n int) ([]byte, error) { return postedAlerts(n, &d.n) }

func (d *desk) poster(ctx context.Context) func([]byte) error {
	return func(b []byte) error { return d.post(ctx, b) }
}

// firstSteps measures how soon after the acknowledgement of an alert the first step of its run begins: 50 alerts a second,
// each of which starts a run of its own, while 950 others come in.
func (d *desk) firstSteps(ctx context.Context, r *report) error {
	const each = 20
	var mu sync.Mutex
	acknowledged := map[string]time.Time{}
	d.hands.begun = map[string]time.Time{}
	var n int
	_, err := paced(1000, 5*time.Second, func() ([]byte, error) { return d.message(1) }, func(b []byte) error {
		mu.Lock()
		n++
		mine, name := n%each == 0, fmt.Sprintf("first-%d", n)
		mu.Unlock()
		if mine {
			b = bytes.Replace(b, []byte(`"alertname":"`), []byte(`"first":"`+name+`","alertname":"First`), 1)
		}
		err := d.post(ctx, b)
		if mine {
			mu.Lock()
			acknowledged[name] = time.Now()
			mu.Unlock()
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.hands.wait(ctx, len(acknowledged)); err != nil {
		return err
	}
	var ds []time.Duration
	d.hands.mu.Lock()
	defer d.hands.mu.Unlock()
	for name, at := range acknowledged {
		began, ok := d.hands.begun[name]
		if !ok {
			return fmt.Errorf("alert %s started nothing", name)
		}
		ds = append(ds, max(0, began.Sub(at)))
	}
	r.ms("alert_first_step_p50_ms", quantile(ds, 0.5))
	r.ms("alert_first_step_p99_ms", quantile(ds, 0.99))
	return nil
}

// post decodes and accepts a message, as the server does.
func (d *desk) post(ctx context.Context, body []byte) error {
	list, err := alertmanager.Decoder{}.Decode(source.Request{Source: "alertmanager", Project: "default", Body: body, Now: time.Now()})
	if err != nil {
		return err
	}
	receipts, err := d.dispatch.Accept(ctx, list)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		if r.Outcome == event.Duplicate {
			return fault.New(fault.Internal, "event %s was not here before", r.Event)
		}
	}
	return nil
}

// events: Alertmanager's messages of 100 alerts by 8 senders, single alerts by 64, and how long an acknowledgement takes
// at 1,000 alerts a second. Decoding, matching and the commit are in it; the network is not.
func events(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	d, err := openDesk(ctx, where)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		name          string
		senders, size int
	}{{"alerts_batched_per_s", 8, 100}, {"alerts_single_per_s", callers, 1}} {
		before := processor()
		n, took, err := flood(x.senders, x.size, 5*time.Second, d.message, d.poster(ctx))
		if err != nil {
			return err
		}
		r.line(x.name, float64(n)/took.Seconds(), "alerts/s")
		r.line(strings.Replace(x.name, "_per_s", "_cpu_us", 1), float64((processor()-before).Microseconds())/float64(max(n, 1)), "us/alert")
	}
	lags, err := paced(1000, 5*time.Second, func() ([]byte, error) { return d.message(1) }, d.poster(ctx))
	if err != nil {
		return err
	}
	r.ms("alert_ack_p50_ms", quantile(lags, 0.5))
	r.ms("alert_ack_p99_ms", quantile(lags, 0.99))
	if err := d.firstSteps(ctx, r); err != nil {
		return err
	}
	_, runs := d.dispatch.Load()
	r.line("alert_runs_left", float64(runs), "runs")
	return d.close(ctx)
}

// processor is the time that this process has used so far: it tells what an alert costs on a machine that others use too.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// flood posts messages of size alerts as fast as senders can, and counts the alerts that were acknowledged.
func flood(senders, size int, span time.Duration, message func(int) ([]byte, error), post func([]byte) error) (int64, time.Duration, error) {
	bodies := make(chan []byte, 64) // made beside, by one that is usually ahead
	stop := make(chan struct{})
	var failed atomic.Pointer[error]
	var made sync.WaitGroup
	made.Go(func() {
		defer close(bodies)
		for {
			b, err := message(size)
			if err != nil {
				failed.Store(&err)
				return
			}
			select {
			case bodies <- b:
			case <-stop:
				return
			}
		}
	})
	var n atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range senders {
		all.Go(func() {
			for b := range bodies {
				if time.Since(start) > span {
					return
				}
				if err := post(b); err != nil {
					failed.Store(&err)
					return
				}
				n.Add(int64(size))
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	close(stop)
	for range bodies { // lets the maker end
	}
	made.Wait()
	if err := failed.Load(); err != nil {
		return 0, 0, *err
	}
	return n.Load(), took, nil
}

// paced posts messages at a rate, and tells how long each acknowledgement took.
func paced(rate int, span time.Duration, message func() ([]byte, error), post func([]byte) error) ([]time.Duration, error) {
	total := int(span.Seconds() * float64(rate))
	lags, errs := make([]time.Duration, total), make([]error, total)
	var all sync.WaitGroup
	start := time.Now()
	for i := range total {
		at := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		body, err := message()
		if err != nil {
			return nil, err
		}
		all.Go(func() {
			sent := time.Now()
			errs[i] = post(body)
			lags[i] = time.Since(sent)
		})
	}
	all.Wait()
	return lags, errors.Join(errs...)
}
