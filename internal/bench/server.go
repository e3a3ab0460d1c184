package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// service is a program, ours or another, that answers over HTTP.
type service struct {
	name string
	cmd  *exec.Cmd
	base string
	head http.Header
	http *http.Client
	log  bytes.Buffer
}

// launch starts a program and waits until it is ready.
func launch(ctx context.Context, ready string, head http.Header, base string, args ...string) (*service, time.Duration, error) {
	s := &service{
		name: filepath.Base(args[0]), base: base, head: head, cmd: exec.CommandContext(ctx, args[0], args[1:]...), //nolint:gosec // our own arguments
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * callers}},
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("start %s: %w", s.name, err)
	}
	for {
		if _, err := s.do(ctx, http.MethodGet, ready, nil); err == nil {
			return s, time.Since(start), nil
		}
		if time.Since(start) > time.Minute {
			return nil, 0, errors.Join(fmt.Errorf("%s is not ready after a minute", s.name), s.end())
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// do asks, and gives the body of an answer that is a 2xx.
func (s *service) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = s.head.Clone()
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, out)
	}
	return out, err
}

func (s *service) end() error {
	s.http.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil && s.name == "tend" {
		return fmt.Errorf("%s: %w: %s", s.name, err, s.log.Bytes()[max(0, s.log.Len()-2000):])
	}
	return nil
}

// resident is the memory of the process that is not shared with others or paged out, and its peak, in MiB; 0 where the
// system does not tell.
func (s *service) resident() (now, peak float64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l)
		if len(f) != 3 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak
}

// freeAddress is one of this host that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

const serverToken = "bench-0123456789abcdef"

// serverFiles writes what the server of a measure is: a source, and twenty triggers as in events.
func serverFiles(where string) error {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "apiVersion: tend/v1\nkind: Trigger\nmetadata: {name: t%d, description: Bench.}\non: {labels: {alertname: Alert%d}}\nwhen: event.labels.severity == 'critical'\n", i, i)
		b.WriteString("playbook: bench\nkey: '{{ $.event.labels.cluster }}'\nincident: {title: '{{ $.event.labels.cluster }}', resolve: true}\n---\n")
	}
	b.WriteString("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: bench, description: Says something.}\nsteps:\n  - {uses: log, with: {message: hello}}\n")
	for name, text := range map[string]string{
		"server.yaml":            "mode: auto\nplaybooks: [books]\nsecrets: {dir: secrets}\nsources:\n  - {name: alertmanager, kind: alertmanager, keys: [hook]}\naccess:\n  - {name: bench, subjects: ['token:bench'], role: viewer}\n",
		"books/bench.yaml":       b.String(),
		"secrets/hook":           serverToken,
		"other/alertmanager.yml": "route: {receiver: none, group_wait: 1h}\nreceivers: [{name: none}]\n",
	} {
		file := filepath.Join(where, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// server: the binary under `tend serve`, asked over HTTP by clients on the same two processors; beside it what the real
// Alertmanager takes, if it is installed.
func server(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	bin, err := buildTend(ctx, where)
	if err != nil {
		return err
	}
	if err := serverFiles(where); err != nil {
		return err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	s, took, err := launch(ctx, "/readyz", http.Header{"Authorization": {"Bearer " + serverToken}, "Content-Type": {"application/json"}}, "http://"+address,
		bin, "serve", "--data-dir", filepath.Join(where, "data"), "--config", filepath.Join(where, "server.yaml"), "--listen", address)
	if err != nil {
		return err
	}
	r.ms("server_start_ms", took)
	time.Sleep(2 * time.Second) // at rest
	rest, _ := s.resident()
	r.line("server_rest_mib", rest, "MiB")
	var n atomic.Int64
	rates, err := s.floods(ctx, r, "http", "/hooks/alertmanager", func(size int) ([]byte, error) { return postedAlerts(size, &n) })
	if err != nil {
		return errors.Join(err, s.end())
	}
	lags, err := s.paced(ctx, 1000, 5*time.Second, func() ([]byte, error) { return postedAlerts(1, &n) })
	if err != nil {
		return errors.Join(err, s.end())
	}
	r.ms("http_ack_p50_ms", quantile(lags, 0.5))
	r.ms("http_ack_p99_ms", quantile(lags, 0.99))
	_, peak := s.resident()
	r.line("server_peak_mib", peak, "MiB")
	if err := s.end(); err != nil {
		return err
	}
	return peer(ctx, r, where, rates)
}

// peer measures Alertmanager's own door.
func peer(ctx context.Context, r *report, where string, ours [2]float64) error {
	var prog string
	for _, p := range []string{"alertmanager", "prometheus-alertmanager"} {
		if found, err := exec.LookPath(p); err == nil {
			prog = found
		}
	}
	if prog == "" {
		fmt.Fprintln(r.out, "# Alertmanager is not installed: nothing to compare with")
		return nil
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	s, _, err := launch(ctx, "/-/ready", http.Header{"Content-Type": {"application/json"}}, "http://"+address,
		prog, "--config.file="+filepath.Join(where, "other/alertmanager.yml"), "--storage.path="+filepath.Join(where, "other"), "--web.listen-address="+address, "--cluster.listen-address=")
	if err != nil {
		return err
	}
	var n atomic.Int64
	theirs, err := s.floods(ctx, r, "alertmanager", "/api/v2/alerts", func(size int) ([]byte, error) { return json.Marshal(someAlerts(size, &n)) })
	if err = errors.Join(err, s.end()); err != nil {
		return err
	}
	r.line("batched_to_alertmanager_ratio", ours[0]/theirs[0], "")
	r.line("single_to_alertmanager_ratio", ours[1]/theirs[1], "")
	return nil
}

// floods posts messages of 100 alerts by 8 senders, and single ones by 64.
func (s *service) floods(ctx context.Context, r *report, name, path string, message func(int) ([]byte, error)) (rates [2]float64, err error) {
	for i, x := range []struct {
		name          string
		senders, size int
	}{{"batched", 8, 100}, {"single", callers, 1}} {
		n, took, err := flood(x.senders, x.size, 5*time.Second, message, func(b []byte) error {
			_, err := s.do(ctx, http.MethodPost, path, b)
			return err
		})
		if err != nil {
			return rates, err
		}
		rates[i] = float64(n) / took.Seconds()
		r.line(name+"_"+x.name+"_per_s", rates[i], "alerts/s")
	}
	return rates, nil
}

func (s *service) paced(ctx context.Context, rate int, span time.Duration, message func() ([]byte, error)) ([]time.Duration, error) {
	return paced(rate, span, message, func(b []byte) error {
		_, err := s.do(ctx, http.MethodPost, "/hooks/alertmanager", b)
		return err
	})
}

// lists: a server over a million finished runs: how soon it answers, and how long a page of a filtered list takes.
func lists(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	bin, err := buildTend(ctx, where)
	if err != nil {
		return err
	}
	if err := serverFiles(where); err != nil {
		return err
	}
	data := filepath.Join(where, "data")
	if err := finished(ctx, r, data, r.runs); err != nil {
		return err
	}
	// A command of a person opens the directory as tend does, and makes the first token.
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	head := http.Header{"Content-Type": {"application/json"}}
	serve := []string{bin, "serve", "--data-dir", data, "--config", filepath.Join(where, "server.yaml"), "--listen", address}
	s, took, err := launch(ctx, "/readyz", head, "http://"+address, serve...)
	if err != nil {
		return err
	}
	defer s.end() //nolint:errcheck // measured already
	r.ms("lists_start_ms", took)
	if s.head, err = s.sign(ctx, bin, data); err != nil {
		return err
	}
	rest, _ := s.resident()
	r.line("lists_rest_mib", rest, "MiB")
	for _, q := range []struct {
		name  string
		query url.Values
	}{
		{"newest", url.Values{}},
		{"status", url.Values{"status": {"failed"}}},
		{"name", url.Values{"name": {"bench-7"}}},
		{"both", url.Values{"status": {"failed"}, "name": {"bench-7"}}},
		{"rare", url.Values{"status": {"in-doubt,waiting"}}},
		{"oldest", url.Values{"oldest": {"true"}, "status": {"failed"}, "name": {"bench-3"}}},
	} {
		q.query.Set("limit", "100")
		var ds []time.Duration
		for cursor := ""; len(ds) < 200; { // pages one after the other, then from the start again
			q.query.Set("cursor", cursor)
			if cursor == "" {
				q.query.Del("cursor")
			}
			start := time.Now()
			out, err := s.do(ctx, http.MethodGet, "/v1/runs?"+q.query.Encode(), nil)
			if err != nil {
				return err
			}
			ds = append(ds, time.Since(start))
			var page struct {
				Next string            `json:"next"`
				Rows []json.RawMessage `json:"rows"`
			}
			if err := json.Unmarshal(out, &page); err != nil {
				return err
			}
			if len(page.Rows) == 0 && cursor == "" && q.name != "rare" {
				return fmt.Errorf("no run is listed by %v", q.query)
			}
			cursor = page.Next
		}
		r.ms("list_"+q.name+"_p50_ms", quantile(ds, 0.5))
		r.ms("list_"+q.name+"_p99_ms", quantile(ds, 0.99))
	}
	return nil
}

// sign makes a token as a person does who may open the data directory.
func (s *service) sign(ctx context.Context, bin, data string) (http.Header, error) {
	out, err := exec.CommandContext(ctx, bin, "--data-dir", data, "tokens", "new", "bench", "--service").Output() //nolint:gosec // our own arguments
	if err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) == 0 {
		return nil, fmt.Errorf("no token in %q", out)
	}
	return http.Header{"Authorization": {"Bearer " + fields[0]}}, nil
}

// finished fills a directory with runs that are over: a hundred playbooks, every fiftieth run failed.
func finished(ctx context.Context, r *report, dir string, runs int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	h, err := open(ctx, dir, true)
	if err != nil {
		return err
	}
	var good, bad []programOf
	for i := range 100 {
		meta := fmt.Sprintf("bench-%d", i)
		for _, x := range []struct {
			list *[]programOf
			that string
		}{{&good, "true"}, {&bad, "false"}} {
			p, err := h.compileAs(meta, "steps:\n  - {uses: assert, with: {that: "+x.that+"}}\n")
			if err != nil {
				return err
			}
			*x.list = append(*x.list, p)
		}
	}
	var n atomic.Int64
	start := time.Now()
	if _, err := h.burst(func() error {
		for i := n.Add(1); i <= int64(runs); i = n.Add(1) {
			p := good[i%100]
			if i%50 == i/100%50 {
				p = bad[i%100]
			}
			id, err := h.start(ctx, p)
			if err != nil {
				return err
			}
			if _, err := h.engine.Wait(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}, time.Millisecond); err != nil {
		return err
	}
	r.line("lists_runs", float64(runs), "runs")
	r.line("lists_filled_per_s", float64(runs)/time.Since(start).Seconds(), "runs/s")
	return h.close(ctx)
}

// buildTend builds the binary.
func buildTend(ctx context.Context, where string) (string, error) {
	bin := filepath.Join(where, "tend")
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/tend")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	return bin, nil
}
