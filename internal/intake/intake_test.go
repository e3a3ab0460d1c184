package intake_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
	"github.com/tendhq/tend/internal/store/memory"
)

// desk takes events, by id, as dispatch does: one that was here is a duplicate.
type desk struct {
	mu   sync.Mutex
	got  []event.Event
	seen map[string]bool
	err  error
}

func (d *desk) Accept(_ context.Context, events []event.Event) ([]dispatch.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	out := make([]dispatch.Receipt, len(events))
	for i, e := range events {
		out[i] = dispatch.Receipt{Event: e.ID, Outcome: event.Unmatched}
		if d.seen[e.ID] {
			out[i].Outcome = event.Duplicate
			continue
		}
		d.seen[e.ID] = true
		d.got = append(d.got, e)
	}
	return out, nil
}

func (d *desk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// told lists what was taken: name, kind, status, and the hour of an event.
func (d *desk) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, e := range d.got {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Name, e.Kind, e.Status)))
	}
	return out
}

type keys map[string]string

func (keys) Name() string { return "test" }

func (k keys) Find(_ context.Context, name string) (secret.Found, error) {
	v, ok := k[name]
	if !ok {
		return secret.Found{}, fault.New(fault.Missing, "there is no secret %s", name)
	}
	return secret.Found{Value: secret.New(v), Version: "1"}, nil
}

const alert = `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Down"},"startsAt":"2026-03-01T11:58:33Z","fingerprint":"aa"}]}`

func TestDoor(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := new(desk)
	var heard []event.Event
	door := &intake.Door{
		Sources: []intake.Source{
			{Name: "am", Project: "default", Scheme: signature.Bearer, Keys: []string{"new", "old"}, Decoder: alertmanager.Decoder{}},
			{Name: "lost", Project: "default", Scheme: signature.Bearer, Keys: []string{"nowhere"}, Decoder: alertmanager.Decoder{}},
		},
		Secrets: keys{"new": "the-new-key", "old": "the-old-key"}, Accept: d, Heard: func(es []event.Event) { heard = append(heard, es...) },
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/{source}", http.MaxBytesHandler(door, 4096))
	post := func(name, key, body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/hooks/"+name, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for _, c := range []struct {
		name, source, key, body string
		status                  int
		says                    string
	}{
		{"good", "am", "the-new-key", alert, 200, `"outcome":"unmatched"`},
		{"again, with the other live key", "am", "the-old-key", alert, 200, `"outcome":"duplicate"`},
		{"another key", "am", "guessed-it", alert, 403, "does not match"},
		{"nobody's source", "nobody", "the-new-key", alert, 403, "no source is configured"},
		{"a key that cannot be found", "lost", "the-new-key", alert, 503, "cannot be found"},
		{"not JSON", "am", "the-new-key", "{", 400, "JSON"},
		{"large", "am", "the-new-key", strings.Repeat("x", 5000), 413, "4096"},
		{"announces nothing", "am", "the-new-key", `{"version":"4","alerts":[]}`, 200, `"events":[]`},
		{"partly", "am", "the-new-key", strings.Replace(alert, `"alerts":[`, `"alerts":[{"status":"over"},`, 1), 200, "alerts[0].status"},
	} {
		status, body := post(c.source, c.key, c.body)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		if strings.Contains(body+log.String(), "the-new-key") {
			t.Errorf("%s: the key is told", c.name)
		}
	}
	if len(d.told()) != 1 || len(heard) != 3 {
		t.Errorf("%v were taken, %d heard", d.told(), len(heard))
	}
	if x, ok := door.Refused("am"); ok {
		t.Errorf("what was refused before something was taken counts no more: %v", x.Err)
	}
	// What cannot be decided now is refused, so that the sender keeps it.
	d.fail(fault.New(fault.Unavailable, "the disk is full"))
	if status, body := post("am", "the-new-key", alert); status != 503 || !strings.Contains(body, "disk is full") {
		t.Errorf("%d %s", status, body)
	}
	if x, ok := door.Refused("am"); ok {
		t.Errorf("our own trouble is not the sender's: %v", x.Err)
	}
	// Whoever knocks a thousand times fills no disk.
	log.Reset()
	for range 1000 {
		post("am", "guessed-it", alert)
	}
	if n := strings.Count(log.String(), "\n"); n > 1 {
		t.Errorf("%d lines", n)
	}
	if x, ok := door.Refused("am"); !ok || x.Since.IsZero() || !strings.Contains(x.Err.Error(), "does not match") {
		t.Errorf("who looks does not learn that messages are refused: %+v", x)
	}
	if _, ok := door.Refused("nobody"); ok {
		t.Error("names that knock are remembered")
	}
}

func book(t *testing.T, disk *memory.Disk) *ledger.Ledger {
	t.Helper()
	s := memory.Open(disk)
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Open(s, lease, nil)
}

// runs lets a clock go for a time.
func runs(t *testing.T, disk *memory.Disk, d time.Duration, c *intake.Clock) {
	t.Helper()
	c.Ledger, c.Log = book(t, disk), slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	time.Sleep(d)
	synctest.Wait()
	stop()
	if err := <-done; err == nil {
		t.Error("it ended by itself")
	}
	if err := c.Ledger.Close(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	hourly, err := schedule.Parse("0 * * * *", "")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // begins at midnight, 2000-01-01 UTC
		disk, d := new(memory.Disk), new(desk)
		clock := func(m schedule.Missed) *intake.Clock {
			return &intake.Clock{Schedules: []intake.Schedule{{Name: "hourly", Project: "default", When: hourly, Missed: m}}, Accept: d}
		}
		runs(t, disk, 150*time.Minute, clock(schedule.Last))
		if got := d.told(); len(got) != 2 {
			t.Fatalf("%v", got)
		}
		time.Sleep(3 * time.Hour) // nobody looks
		runs(t, disk, 10*time.Second, clock(schedule.Last))
		if got := d.told(); len(got) != 3 {
			t.Fatalf("the last one is made up for: %v", got)
		}
		time.Sleep(3 * time.Hour)
		runs(t, disk, 10*time.Second, clock(schedule.Skip))
		if got := d.told(); len(got) != 3 {
			t.Fatalf("none is made up for: %v", got)
		}
		time.Sleep(3 * time.Hour)
		runs(t, disk, 10*time.Second, clock(schedule.All))
		if got := d.told(); len(got) != 6 {
			t.Fatalf("all are made up for: %v", got)
		}
		// While events cannot be taken, a tick waits.
		d.fail(fault.New(fault.Unavailable, "the disk is full"))
		go func() { time.Sleep(90 * time.Minute); d.fail(nil) }()
		runs(t, disk, 100*time.Minute, clock(schedule.Last))
		if got := d.told(); len(got) != 7 {
			t.Errorf("%v", got)
		}
	})
}

func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, d := new(memory.Disk), new(desk)
		var mu sync.Mutex
		blind := map[string]time.Time{}
		clock := func() *intake.Clock {
			return &intake.Clock{
				Watches: []intake.Watch{{Name: "heartbeat", Project: "default", For: 10 * time.Minute, Source: "am*", Labels: map[string]string{"alertname": "Watchdog"}, Monitors: true}},
				Accept:  d, Blind: func(_, what string, since time.Time) { mu.Lock(); defer mu.Unlock(); blind[what] = since },
			}
		}
		beat := event.Event{Source: "am-1", Project: "default", Labels: map[string]string{"alertname": "Watchdog"}, Status: event.Firing}
		c := clock()
		go func() {
			for range 12 { // an hour of heartbeats
				c.Heard([]event.Event{beat})
				time.Sleep(5 * time.Minute)
			}
		}()
		runs(t, disk, time.Hour, c)
		if got := d.told(); len(got) != 0 {
			t.Fatalf("%v", got)
		}
		c = clock()
		other := beat
		other.Labels = map[string]string{"alertname": "Other"}
		go func() {
			for range 10 { // other alerts are no heartbeat
				c.Heard([]event.Event{other})
				time.Sleep(time.Minute)
			}
		}()
		runs(t, disk, 11*time.Minute, c)
		if got := d.told(); !slices.Equal(got, []string{"heartbeat absence firing"}) {
			t.Fatalf("%v", got)
		}
		mu.Lock()
		if blind["heartbeat"].IsZero() {
			t.Error("guards are not told that nobody can see")
		}
		mu.Unlock()
		// A restart neither repeats nor forgets it.
		c = clock()
		go func() { time.Sleep(20 * time.Second); c.Heard([]event.Event{beat}) }()
		runs(t, disk, time.Minute, c)
		if got := d.told(); !slices.Equal(got, []string{"heartbeat absence firing", "heartbeat absence resolved"}) {
			t.Fatalf("%v", got)
		}
		mu.Lock()
		defer mu.Unlock()
		if !blind["heartbeat"].IsZero() {
			t.Error("guards still stand down")
		}
	})
}

// answers is a service that answers by a function, without a network.
type answers func(r *http.Request) (status int, body any)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) {
	status, v := f(r)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, nil
}

// am is an Alertmanager: what is listed, with its state, and until when it counts.
type am struct {
	mu     sync.Mutex
	listed map[string]string
	ends   time.Time
	down   bool
}

func (a *am) set(down bool, ends time.Time, states ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down, a.ends, a.listed = down, ends, map[string]string{}
	for _, s := range states {
		name, state, _ := strings.Cut(s, " ")
		a.listed[name] = cmp.Or(state, "active")
	}
}

func (a *am) answer(r *http.Request) (int, any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.down:
		return 0, nil
	case r.URL.Path != "/am/api/v2/alerts" || r.URL.Query().Get("silenced") != "true" || r.Header.Get("Authorization") != "Bearer the-token":
		return http.StatusForbidden, nil
	}
	list := []map[string]any{}
	for _, f := range slices.Sorted(maps.Keys(a.listed)) {
		list = append(list, map[string]any{
			"fingerprint": f, "startsAt": "2000-01-01T00:00:00Z", "endsAt": a.ends.UTC().Format(time.RFC3339Nano), "labels": map[string]string{"alertname": f},
			"status": map[string]any{"state": a.listed[f]},
		})
	}
	return http.StatusOK, list
}

// TestPuller: what leaves the list is over, what was silenced is not, an Alertmanager that is down says nothing about alerts; what
// was ended is resolved, what nobody repeated has vanished; a restart forgets nothing.
func TestPuller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, d, a := new(memory.Disk), new(desk), new(am)
		var mu sync.Mutex
		blind := map[string]time.Time{}
		var p *intake.Puller
		pull := func(span time.Duration) {
			t.Helper()
			p = &intake.Puller{
				Name: "am", Project: "shop", URL: "http://am/am", Every: 30 * time.Second, Client: &http.Client{Transport: answers(a.answer)}, Accept: d,
				Log: slog.New(slog.DiscardHandler), Ledger: book(t, disk), Listed: alertmanager.Listed, Gone: alertmanager.Gone,
				Token: func(context.Context) (secret.Value, error) { return secret.New("the-token"), nil },
				Blind: func(project, what string, since time.Time) {
					mu.Lock()
					defer mu.Unlock()
					blind[project+" "+what] = since
				},
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- p.Run(ctx) }()
			time.Sleep(span)
			synctest.Wait()
			stop()
			if err := <-done; err == nil {
				t.Error("it ended by itself")
			}
			if err := p.Ledger.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, list ...string) {
			t.Helper()
			if got := d.told(); !slices.Equal(got, list) {
				t.Fatalf("%s: %v", what, got)
			}
		}
		later := func(d time.Duration) time.Time { return time.Now().Add(d) }
		a.set(false, later(4*time.Minute), "a", "b", "c")
		pull(time.Minute)
		list := []string{"a alert firing", "b alert firing", "c alert firing"}
		want("all fire", list...)
		a.set(true, time.Time{})
		pull(2 * time.Minute)
		want("it is down", list...)
		if at, x := p.Last(); !at.IsZero() || x.Err == nil || time.Since(x.Since) != 2*time.Minute {
			t.Errorf("answered %v, trouble %v since %v", at, x.Err, x.Since)
		}
		mu.Lock()
		if since := blind["shop the Alertmanager of source am"]; since.IsZero() || time.Since(since) > 3*time.Minute {
			t.Errorf("guards are not told that nobody can see: %v", blind)
		}
		mu.Unlock()
		a.set(false, later(4*time.Minute), "b suppressed", "c")
		pull(2 * time.Minute)
		list = append(list, "a alert resolved")
		want("one is ended, one silenced", list...)
		if at, x := p.Last(); at.IsZero() || x.Err != nil {
			t.Errorf("answered %v, trouble %v", at, x.Err)
		}
		mu.Lock()
		if !blind["shop the Alertmanager of source am"].IsZero() {
			t.Errorf("guards still stand down: %v", blind)
		}
		mu.Unlock()
		a.set(false, time.Time{})
		pull(70 * time.Second) // the start after that remembers them
		if got := d.told(); !slices.Contains(got, "c alert resolved") {
			t.Fatalf("a restart forgot what fired: %v", got)
		}
		d.mu.Lock()
		d.got, d.seen = nil, nil
		d.mu.Unlock()
		a.set(false, later(4*time.Minute), "x")
		pull(time.Minute)
		time.Sleep(time.Hour)
		a.set(false, time.Time{})
		pull(2 * time.Minute)
		want("its time was over", "x alert firing", "x alert vanished")
	})
}

// TestWitness: the end of an alert is a repair only while its target is still scraped.
func TestWitness(t *testing.T) {
	t.Parallel()
	up := map[string]bool{"web-1:9100": true, "web-2:9100": false}
	status := http.StatusOK
	asked := 0
	prometheus := answers(func(r *http.Request) (int, any) {
		asked++
		var list []map[string]any
		for _, i := range slices.Sorted(maps.Keys(up)) {
			if r.URL.Query().Get("query") != "up == 1" || up[i] {
				list = append(list, map[string]any{"metric": map[string]string{"__name__": "up", "job": "node", "instance": i}, "value": []any{1.7e9, "1"}})
			}
		}
		return status, map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": list}}
	})
	over := func(source, job, instance string, s event.Status) event.Event {
		return made.Event(event.Event{
			Kind: "alert", Key: instance + "/" + string(s), Name: "Down", Status: s, Labels: map[string]string{"job": job, "instance": instance}, Data: map[string]any{"status": string(s)},
		}, source)
	}
	for name, x := range map[string]struct {
		e      event.Event
		status int
		want   event.Status
	}{
		"it is scraped":        {over("am", "node", "web-1:9100", event.Resolved), 200, event.Resolved},
		"it is down":           {over("am", "node", "web-2:9100", event.Resolved), 200, event.Vanished},
		"without a job":        {over("am", "", "web-2:9100", event.Resolved), 200, event.Vanished},
		"it was never scraped": {over("am", "node", "db-1", event.Resolved), 200, event.Resolved},
		"it is about nothing":  {over("am", "node", "", event.Resolved), 200, event.Resolved},
		"it fires":             {over("am", "node", "web-2:9100", event.Firing), 200, event.Firing},
		"another source":       {over("grafana", "node", "web-2:9100", event.Resolved), 200, event.Resolved},
		"nobody can say":       {over("am", "node", "web-1:9100", event.Resolved), 503, event.Vanished},
		"no connection":        {over("am", "node", "web-1:9100", event.Resolved), 0, event.Vanished},
	} {
		d := new(desk)
		status = x.status
		w := &intake.Witness{
			Sources: map[string]*intake.Prometheus{"am": {URL: "http://prometheus", Client: &http.Client{Transport: prometheus}}}, Inner: d, Log: slog.New(slog.DiscardHandler),
		}
		if _, err := w.Accept(t.Context(), []event.Event{x.e}); err != nil || len(d.got) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		got := d.got[0]
		if got.Status != x.want || got.Data["status"] != string(x.want) || (got.ID == x.e.ID) != (x.want == x.e.Status) || x.e.Data["status"] == "vanished" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Many that end at once ask once.
	asked, status = 0, http.StatusOK
	d := new(desk)
	w := &intake.Witness{
		Sources: map[string]*intake.Prometheus{"am": {URL: "http://prometheus", Client: &http.Client{Transport: prometheus}}}, Inner: d, Log: slog.New(slog.DiscardHandler),
	}
	if _, err := w.Accept(t.Context(), []event.Event{over("am", "node", "web-1:9100", event.Resolved), over("am", "node", "web-2:9100", event.Resolved)}); err != nil || asked != 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// TestChanges: events of kind change of a source that is trusted with it approve changes, before they are acknowledged.
func TestChanges(t *testing.T) {
	t.Parallel()
	var approved []guard.Planned
	var ended []string
	var broken error
	d := new(desk)
	c := &intake.Changes{
		Sources: map[string]bool{"itsm": true}, Inner: d, Log: slog.New(slog.DiscardHandler),
		Approve: func(_ context.Context, p guard.Planned, by entry.Who) (guard.Planned, error) {
			if by.Name != "source itsm" {
				t.Errorf("%+v", by)
			}
			if p.To.IsZero() {
				return p, fault.New(fault.Invalid, "no end")
			}
			approved = append(approved, p)
			return p, broken
		},
		Withdraw: func(_ context.Context, project, id string, _ entry.Who, _ string) error {
			ended = append(ended, project+"/"+id)
			return nil
		},
	}
	tell := func(source, kind, id string, s event.Status, labels map[string]string) error {
		_, err := c.Accept(t.Context(), []event.Event{made.Event(event.Event{Kind: kind, Key: fmt.Sprint(id, s, len(d.got)), Group: id, Status: s, Labels: labels}, source)})
		return err
	}
	when := map[string]string{"from": "2026-03-01T22:00:00Z", "to": "2026-03-02T04:00:00+02:00", "targets": "host:web-*, host:db-1", "playbooks": "restart*"}
	for _, err := range []error{
		tell("itsm", "change", "CHG-1", event.Firing, when), tell("other", "change", "CHG-2", event.Firing, when), tell("itsm", "webhook", "CHG-3", event.Firing, when),
		tell("itsm", "change", "CHG-4", event.Firing, nil), tell("itsm", "change", "CHG-5", event.Firing, map[string]string{"to": "tomorrow"}),
		tell("itsm", "change", "CHG-1", event.Resolved, nil),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if len(approved) != 1 || approved[0].ID != "CHG-1" || approved[0].Project != "shop" || !slices.Equal(approved[0].Targets, []string{"host:web-*", "host:db-1"}) ||
		!approved[0].To.Equal(time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)) || !slices.Equal(ended, []string{"shop/CHG-1"}) || len(d.got) != 6 {
		t.Errorf("%+v, %v, %d", approved, ended, len(d.got))
	}
	broken = fault.New(fault.Unavailable, "the disk is full")
	if err := tell("itsm", "change", "CHG-6", event.Firing, when); err == nil || len(d.got) != 6 {
		t.Errorf("it is acknowledged, and does not count: %v", err)
	}
}

// made makes events of project shop.
var made maker

type maker struct{}

func (maker) Event(e event.Event, name string) event.Event {
	return source.Request{Source: name, Project: "shop", Now: time.Now()}.Event(e)
}
