package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
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
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
	"github.com/tendhq/tend/internal/trigger"
)

// desk is a dispatcher over a house: twenty triggers, of which the last one takes every tenth alert, opens an incident for
// each group and has one run for each that goes on.
type desk struct {
	*house

	ledger   *ledger.Ledger
	dispatch *dispatch.Dispatch
	program  *program.Program
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
	ev := expr.New(expr.Limits{})
	rules := &dispatch.Rules{Evaluator: ev, Triggers: map[string][]*trigger.Spec{}}
	for i := range 20 {
		text := fmt.Sprintf("apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t%d}\non: {labels: {alertname: Alert%d}}\nwhen: event.labels.severity == 'critical'\n", i, i)
		text += "playbook: bench\nkey: '{{ $.event.labels.cluster }}'\nincident: {title: '{{ $.event.labels.cluster }}', resolve: true}\n"
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
	d.dispatch, err = dispatch.Open(ctx, dispatch.Config{Ledger: d.ledger, Engine: h.engine, Catalog: d, Gate: gate, Rules: rules, Bind: ev})
	return d, err
}

// Playbook implements dispatch.Catalog.
func (d *desk) Playbook(context.Context, string, string, string) (dispatch.Playbook, error) {
	return dispatch.Playbook{Program: d.program}, nil
}

func (d *desk) close(ctx context.Context) error {
	return errors.Join(d.dispatch.Close(ctx), d.ledger.Close(ctx), d.house.close(ctx))
}

// message is what Alertmanager would post: n alerts that were not there before.
func (d *desk) message(n int) ([]byte, error) {
	alerts := make([]any, n)
	for i := range alerts {
		k := d.n.Add(1)
		name := "Alert19"
		if k%10 != 0 {
			name = fmt.Sprint("Other", k%7)
		}
		alerts[i] = map[string]any{
			"status": "firing", "fingerprint": fmt.Sprintf("%016x", k), "startsAt": time.Now().UTC().Format(time.RFC3339Nano), "endsAt": "0001-01-01T00:00:00Z",
			"labels": map[string]string{
				"alertname": name, "severity": "critical", "cluster": fmt.Sprint("c", k%50), "instance": fmt.Sprintf("web-%d:9100", k), "job": "node", "namespace": "shop",
			},
			"annotations":  map[string]string{"summary": "The disk of an instance fills up and will be full within four hours.", "runbook_url": "https://runbooks.example.org/disk"},
			"generatorURL": "http://prometheus.example.org/graph?g0.expr=node_filesystem_avail_bytes",
		}
	}
	return json.Marshal(map[string]any{
		"version": "4", "receiver": "tend", "status": "firing", "groupKey": "{}:{alertname=\"x\"}", "groupLabels": map[string]string{"alertname": "x"},
		"commonLabels": map[string]string{"severity": "critical"}, "externalURL": "http://alertmanager.example.org", "alerts": alerts,
	})
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
		n, took, err := d.flood(ctx, x.senders, x.size, 5*time.Second)
		if err != nil {
			return err
		}
		r.line(x.name, float64(n)/took.Seconds(), "alerts/s")
		r.line(strings.Replace(x.name, "_per_s", "_cpu_us", 1), float64((processor()-before).Microseconds())/float64(max(n, 1)), "us/alert")
	}
	lags, err := d.paced(ctx, 1000, 5*time.Second)
	if err != nil {
		return err
	}
	slices.Sort(lags)
	r.ms("alert_ack_p50_ms", lags[len(lags)/2])
	r.ms("alert_ack_p99_ms", lags[len(lags)*99/100])
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

// flood posts as fast as senders can, and counts the alerts that were acknowledged.
func (d *desk) flood(ctx context.Context, senders, size int, span time.Duration) (int64, time.Duration, error) {
	bodies := make(chan []byte, 64) // made beside, by one that is usually ahead
	stop := make(chan struct{})
	var failed atomic.Pointer[error]
	var made sync.WaitGroup
	made.Go(func() {
		defer close(bodies)
		for {
			b, err := d.message(size)
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
				if err := d.post(ctx, b); err != nil {
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

// paced posts single alerts at a rate, and tells how long each acknowledgement took.
func (d *desk) paced(ctx context.Context, rate int, span time.Duration) ([]time.Duration, error) {
	total := int(span.Seconds()) * rate
	lags, errs := make([]time.Duration, total), make([]error, total)
	var all sync.WaitGroup
	start := time.Now()
	for i := range total {
		at := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(at))
		body, err := d.message(1)
		if err != nil {
			return nil, err
		}
		all.Go(func() {
			sent := time.Now()
			errs[i] = d.post(ctx, body)
			lags[i] = time.Since(sent)
		})
	}
	all.Wait()
	return lags, errors.Join(errs...)
}
