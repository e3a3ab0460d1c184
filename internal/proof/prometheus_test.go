package proof_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv/prometheus"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// shop is a service with queues, which it measures for Prometheus, and which a repair empties.
type shop struct {
	*httptest.Server

	mu      sync.Mutex
	depths  map[string]int
	repairs map[string]int
	// vanish lists queues whose repair makes the measurement go away, and nothing else.
	vanish []string
}

func newShop(t *testing.T, vanish ...string) *shop {
	t.Helper()
	s := &shop{depths: map[string]int{}, repairs: map[string]int{}, vanish: vanish}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for q, n := range s.depths {
			_, _ = fmt.Fprintf(w, "shop_queue_depth{queue=%q} %d\n", q, n)
		}
	})
	mux.HandleFunc("POST /repair/{queue}", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		q := r.PathValue("queue")
		s.repairs[q]++
		if s.depths[q] = 0; slices.Contains(s.vanish, q) {
			delete(s.depths, q)
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// fill makes a queue as long as that.
func (s *shop) fill(queue string, depth int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.depths[queue] = depth
}

func (s *shop) repaired(queue string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repairs[queue]
}

// The alert of a queue that is too long, and what repairs it: it asks Prometheus whether that helped, so that a measurement
// that is not there says nothing.
const (
	queueRules = `
groups:
  - name: shop
    rules:
      - alert: QueueTooLong
        expr: shop_queue_depth > 100
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.queue }} has {{ $value }} entries'}
`
	queuePlaybook = `
apiVersion: tend/v1
kind: Playbook
metadata: {name: empty-queue, description: Empties a queue., owner: shop}
parameters: [{name: queue, type: string, description: The queue.}]
steps:
  - id: empty
    name: Empty it
    uses: http
    with: {url: SHOP/repair, path: ['{{ $.params.queue }}'], method: POST}
    target: 'queue:{{ $.params.queue }}'
    verify:
      uses: http
      with: {url: PROMETHEUS/api/v1/query, query: {query: 'shop_queue_depth{queue="{{ $.params.queue }}"}'}}
      until: double(result.json.data.result[0].value[1]) < 100.0
      every: 1s
      within: 10s
    undo: {none: What was in the queue is done.}
`
	queueTrigger = `
---
apiVersion: tend/v1
kind: Trigger
metadata: {name: QUEUE, description: A queue is too long.}
on: {source: prometheus, labels: {alertname: QueueTooLong, queue: QUEUE}}
playbook: empty-queue
parameters: {queue: '{{ $.event.labels.queue }}'}
incident: {title: 'The queue {{ $.event.labels.queue }} is too long', resolve: true}
`
)

// output is what a process writes while others read it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var answersOn = regexp.MustCompile(`tend answers on (http://\S+),`)

// serve starts `tend serve` in a house that has a server.yaml, and gives its address. It ends in order with the test.
func serve(t *testing.T, h *tend.House) (address string, log *output) {
	t.Helper()
	log = &output{}
	c := h.Command("serve", "--config", "server.yaml")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("tend serve: %v\n%s", err, log)
		}
		tend.Calm(t, log.String())
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})
	until(t, "tend answers", func() bool {
		m := answersOn.FindStringSubmatch(log.String())
		if m != nil {
			address = m[1]
		}
		return m != nil
	})
	return address, log
}

// found waits until the output of a command matches.
func found(t *testing.T, h *tend.House, pattern string, args ...string) {
	t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	var last string
	defer func() {
		if t.Failed() {
			t.Logf("tend %s:\n%s", strings.Join(args, " "), last)
		}
	}()
	var next time.Time // asking is a process: the tests beside this one want to go on too
	until(t, fmt.Sprintf("%q is in `tend %s`", pattern, strings.Join(args, " ")), func() bool {
		if time.Now().Before(next) {
			return false
		}
		last, next = h.Run(args...).Out, time.Now().Add(200*time.Millisecond)
		return re.MatchString(last)
	})
}

// TestPrometheus: a real Prometheus measures, a real Alertmanager tells, the playbook repairs what is measured, the alert
// resolves, and the incident closes by itself. One server is told by webhook; another one asks the same Alertmanager.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes half a minute: measurements are taken once a second")
	}
	prometheus.Present(t)
	const token = "correct-horse-battery"
	s := newShop(t, "ghosts")

	told := tend.New(t)
	told.Set("TEND_SECRET_HOOK", token)
	told.Write("server.yaml", "listen: 127.0.0.1:0\nmode: auto\nplaybooks: [books]\nsources: [{name: prometheus, kind: alertmanager, keys: [hook]}]\n")
	told.Write("books/README.md", "The playbooks follow.\n")
	address, log := serve(t, told)
	pair := prometheus.Start(t, prometheus.Config{
		Exporter: strings.TrimPrefix(s.URL, "http://"), Rules: queueRules, Receiver: address + "/hooks/prometheus", Token: token,
	})
	books := func(h *tend.House, queues ...string) {
		text := strings.NewReplacer("SHOP", s.URL, "PROMETHEUS", pair.Prometheus).Replace(queuePlaybook)
		for _, q := range queues {
			text += strings.ReplaceAll(queueTrigger, "QUEUE", q)
		}
		h.Write("books/queues.yaml", text)
	}
	books(told, "orders", "ghosts")
	until(t, "the playbooks are live", func() bool { return strings.Contains(log.String(), `"triggers":2`) })

	t.Run("repaired", func(t *testing.T) {
		s.fill("orders", 250)
		found(t, told, `^run_\w+ +empty-queue +succeeded`, "runs", "list")
		found(t, told, `^inc_\w+ +critical +resolved .*The queue orders is too long`, "incidents", "list")
		found(t, told, ` resolves `, "events", "list")
		expect(t, told.Run("runs", "show", "last"), 0, "mutate  verified  queue:orders")
		if n := s.repaired("orders"); n != 1 {
			t.Errorf("it was repaired %d times", n)
		}
	})

	// Whoever asks sees the same alert: it is not posted to this server, which belongs to a laptop in a closed network.
	t.Run("asked", func(t *testing.T) {
		asks := tend.New(t)
		asks.Write("server.yaml", "listen: 127.0.0.1:0\nmode: auto\nplaybooks: [books]\n"+
			"sources: [{name: prometheus, kind: alertmanager-pull, url: '"+pair.Alertmanager+"', every: 500ms}]\n")
		books(asks, "refunds")
		serve(t, asks)
		s.fill("refunds", 250)
		found(t, asks, `^run_\w+ +empty-queue +succeeded`, "runs", "list")
		found(t, asks, `^inc_\w+ +critical +resolved .*The queue refunds is too long`, "incidents", "list")
		if n := s.repaired("refunds"); n != 1 {
			t.Errorf("it was repaired %d times", n)
		}
	})

	// The repair took the measurement away: Prometheus calls that the end of the alert, and the playbook does not.
	t.Run("vanished", func(t *testing.T) {
		s.fill("ghosts", 250)
		found(t, told, `^run_\w+ +empty-queue +failed`, "runs", "list", "--status", "failed")
		expect(t, told.Run("runs", "explain", "last"), 0, "the effect did not show: .* has no elements")
		if n := s.repaired("ghosts"); n != 1 {
			t.Errorf("it was repaired %d times", n)
		}
		var firing struct{ Data struct{ Alerts []any } }
		res, err := http.Get(pair.Prometheus + "/api/v1/alerts")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(&firing); err != nil || len(firing.Data.Alerts) > 0 {
			t.Errorf("Prometheus says that %v fire (%v)", firing.Data.Alerts, err)
		}
	})
	if t.Failed() {
		for _, name := range []string{"prometheus.log", "alertmanager.log"} {
			b, _ := os.ReadFile(pair.Dir + "/" + name)
			t.Logf("%s:\n%s", name, b)
		}
	}
}
