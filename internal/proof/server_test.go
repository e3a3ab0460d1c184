package proof_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv/tend"
)

// held tells how much memory a process has had at most, in bytes; 0 where the system does not say.
func held(t *testing.T, h *tend.House) int64 {
	t.Helper()
	var owner struct {
		PID int `json:"pid"`
	}
	b, err := os.ReadFile(filepath.Join(h.Data, "owner.json"))
	if err != nil || json.Unmarshal(b, &owner) != nil {
		t.Fatalf("who owns the directory: %v", err)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(owner.PID) + "/status")
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n << 10
}

// signedOn gives a token of the first start.
func signedOn(t *testing.T, address string, log *output) string {
	t.Helper()
	var m []string
	until(t, "the one-time token is told", func() bool {
		m = regexp.MustCompile(`one-time token (tend_\w+)\n`).FindStringSubmatch(log.String())
		return m != nil
	})
	resp, err := http.Post(address+"/v1/sign-on", "application/json", strings.NewReader(`{"token":"`+m[1]+`"}`)) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Text string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Text == "" {
		t.Fatalf("sign on: %s, %v", resp.Status, err)
	}
	return made.Text
}

// zeros is a body without end.
type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.n <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.n)
	clear(p[:n])
	z.n -= n
	return n, nil
}

// TestHugeWebhook: eight messages of 50 MB at once are refused, with their length said before or not, without being held in
// memory, and the next good one is taken.
func TestHugeWebhook(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	h.Set("TEND_SECRET_HOOK", "correct-horse-battery")
	h.Write("server.yaml", "listen: 127.0.0.1:0\nsources: [{name: am, kind: alertmanager, keys: [hook]}]\n")
	address, _ := serve(t, h)
	before := held(t, h)
	post := func(body io.Reader, length int64) (int, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/hooks/am", body)
		if err != nil {
			return 0, "", err
		}
		req.ContentLength = length
		req.Header.Set("Authorization", "Bearer correct-horse-battery")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), err
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			length := int64(50 * mib)
			if i%2 == 1 {
				length = -1 // chunked
			}
			status, body, err := post(&zeros{50 * mib}, length)
			// A server that stops reading may close before the client has read its answer.
			if err == nil && (status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "larger than")) {
				t.Errorf("message %d: %d %s", i, status, body)
			}
		})
	}
	all.Wait()
	if peak := held(t, h); peak > before+300*mib {
		t.Errorf("it held %d MiB, and %d before", peak/mib, before/mib)
	}
	alert := fmt.Sprintf(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Down"},"startsAt":%q,"fingerprint":"aa"}]}`, time.Now().UTC().Format(time.RFC3339))
	if status, body, err := post(strings.NewReader(alert), int64(len(alert))); err != nil || status != http.StatusOK || !strings.Contains(body, "unmatched") {
		t.Errorf("a good one afterwards: %d %s, %v", status, body, err)
	}
}

// TestTwoThousandStreams: as many real connections follow one run, and each of them hears its end.
func TestTwoThousandStreams(t *testing.T) {
	t.Parallel()
	const many = 2000
	h := tend.New(t)
	h.Write("server.yaml", "listen: 127.0.0.1:0\nplaybooks: [books]\n")
	h.Write("books/asks.yaml", "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: asks}\nsteps: [{uses: approve, with: {message: sure?}}]\n")
	address, log := serve(t, h)
	token := signedOn(t, address, log)
	before := held(t, h)
	run := strings.TrimSpace(h.Run("playbooks", "start", "asks").Out)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 0, DisableKeepAlives: true}}
	var waits, ended atomic.Int64
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/v1/runs/"+run+"/follow", nil)
			if err != nil {
				return
			}
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := client.Do(req)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			lines := bufio.NewScanner(resp.Body)
			lines.Buffer(nil, mib)
			for lines.Scan() {
				switch {
				case bytes.Equal(lines.Bytes(), []byte("event: idle")):
					waits.Add(1)
				case bytes.Equal(lines.Bytes(), []byte("event: end")):
					ended.Add(1)
					return
				}
			}
		})
	}
	until(t, "all streams hear that the run waits", func() bool { return waits.Load() >= many })
	peak := held(t, h)
	expect(t, h.Run("runs", "cancel", run), 0)
	all.Wait()
	if n := ended.Load(); n != many {
		t.Errorf("%d of %d streams heard the end", n, many)
	}
	t.Logf("%d streams: %d MiB held, %d before", many, peak/mib, before/mib)
	if peak > before+400*mib {
		t.Errorf("%d streams took %d MiB, and %d were held before", many, peak/mib, before/mib)
	}
}
