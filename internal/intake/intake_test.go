package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
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
	// What cannot be decided now is refused, so that the sender keeps it.
	d.fail(fault.New(fault.Unavailable, "the disk is full"))
	if status, body := post("am", "the-new-key", alert); status != 503 || !strings.Contains(body, "disk is full") {
		t.Errorf("%d %s", status, body)
	}
	// Whoever knocks a thousand times fills no disk.
	log.Reset()
	for range 1000 {
		post("am", "guessed-it", alert)
	}
	if n := strings.Count(log.String(), "\n"); n > 1 {
		t.Errorf("%d lines", n)
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
				Accept:  d, Blind: func(what string, since time.Time) { mu.Lock(); defer mu.Unlock(); blind[what] = since },
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

func TestPuller(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var firing []string
	down := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/am/api/v2/alerts" || r.URL.Query().Get("silenced") != "false" || r.Header.Get("Authorization") != "Bearer the-token" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		list := []map[string]any{}
		for _, f := range firing {
			list = append(list, map[string]any{"fingerprint": f, "startsAt": "2026-03-01T11:00:00Z", "labels": map[string]string{"alertname": f}, "status": map[string]any{"state": "active"}})
		}
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(srv.Close)
	set := func(broken bool, fs ...string) {
		mu.Lock()
		defer mu.Unlock()
		firing, down = fs, broken
	}
	d := new(desk)
	p := &intake.Puller{
		Name: "am", Project: "default", URL: srv.URL + "/am", Every: 5 * time.Millisecond, Client: srv.Client(), Accept: d, Log: slog.New(slog.DiscardHandler),
		Token:  func(context.Context) (secret.Value, error) { return secret.New("the-token"), nil },
		Listed: alertmanager.Listed, Gone: alertmanager.Gone,
	}
	set(false, "a", "b")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	until := func(want ...string) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for !slices.Equal(d.told(), want) {
			if time.Now().After(deadline) {
				t.Fatalf("%v, not %v", d.told(), want)
			}
			<-time.After(time.Millisecond)
		}
	}
	until("a alert firing", "b alert firing")
	set(true) // an Alertmanager that is down says nothing about alerts
	waits := time.After(50 * time.Millisecond)
	<-waits
	until("a alert firing", "b alert firing")
	set(false, "b", "c")
	until("a alert firing", "b alert firing", "c alert firing", "a alert resolved")
	stop()
	if err := <-done; err == nil {
		t.Error("it ended by itself")
	}
}
