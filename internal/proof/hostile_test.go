package proof_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv/tend"
)

// playbook writes a playbook with these steps and gives its name.
func playbook(h *tend.House, name, steps string) string {
	h.Write(name+".yaml", "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: "+name+"}\n"+steps)
	return name + ".yaml"
}

// expect wants an exit code, and every pattern in what was printed.
func expect(t *testing.T, r tend.Result, code int, patterns ...string) {
	t.Helper()
	if r.Code != code {
		t.Errorf("%.3000s\nnot %d", r, code)
	}
	for _, p := range patterns {
		if !regexp.MustCompile("(?m)" + p).MatchString(r.All()) {
			t.Errorf("no %q in: %.3000s", p, r)
		}
	}
}

const mib = 1 << 20

// TestHugeInput: what is larger than anybody means is refused without being held in memory.
func TestHugeInput(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	fine := playbook(h, "fine", "parameters: [{name: a, type: string, required: false, description: A.}]\nsteps: [{uses: log, with: {message: x}}]\n")
	huge := h.Write("huge.yaml", "a: |\n"+strings.Repeat("  some text that goes on and on\n", 50*mib/32))
	deep := h.Write("deep.json", strings.Repeat(`{"a":`, 200_000)+"1"+strings.Repeat("}", 200_000))
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9)+fmt.Sprintf("*a%d", i-1))
	}
	for _, c := range []struct {
		file string
		want string
	}{
		{huge, `huge\.yaml`},
		{deep, `deep\.json`},
		{h.Write("bomb.yaml", bomb.String()), `bomb\.yaml`},
		{h.Write("latin.yaml", "a: gr\xfc\xdfe\n"), `latin\.yaml.*UTF-8`},
		{h.Write("nul.json", "{\"a\": \"x\x00y\"}"), `nul\.json`},
		{h.Write("number.json", `{"a": 1e999999999}`), `number\.json`},
	} {
		for _, args := range [][]string{{"run", fine, "--event", c.file}, {"run", fine, "--params", c.file}} {
			r := h.Run(args...)
			expect(t, r, 2, "^tend: ", c.want)
			if r.Peak > 700*mib || r.Took > 20*time.Second {
				t.Errorf("%v took %s and %d MiB", args, r.Took, r.Peak/mib)
			}
			if len(r.All()) > 4000 {
				t.Errorf("%v: the message has %d bytes", args, len(r.All()))
			}
		}
		r := h.Run("lint", c.file)
		if r.Code == 0 || r.Peak > 700*mib {
			t.Errorf("lint took %d MiB: %.2000s", r.Peak/mib, r)
		}
	}
	if _, err := os.Stat(h.Data); err == nil {
		t.Error("a run was begun")
	}
}

// TestEndlessOutput: a gigabyte of output goes through in bounded memory, and head and tail are kept.
func TestEndlessOutput(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	n := 1 << 30
	if testing.Short() {
		n >>= 3
	}
	r := h.Run("-q", "run", playbook(h, "prints", fmt.Sprintf(`
steps:
  - id: a
    uses: shell
    effect: read
    with: {script: 'echo first; yes "0123456789012345678901234567890123456789012345678901234567890123456789" | head -c %d; echo; echo last'}
`, n)))
	expect(t, r, 0)
	if r.Peak > 300*mib {
		t.Errorf("it took %d MiB of memory", r.Peak/mib)
	}
	logs := h.Run("runs", "logs", "last")
	expect(t, logs, 0, "^first$", "left out", "^last$")
	if len(logs.Out) > 12*mib {
		t.Errorf("%d bytes of log are kept", len(logs.Out))
	}
	if size := used(t, h.Data); size > 64*mib {
		t.Errorf("the data directory holds %d MiB", size/mib)
	}
}

// TestEndlessLoop: the memory of a run does not grow with its iterations, and it can be looked at and verified afterwards.
func TestEndlessLoop(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	n := 100_000
	if testing.Short() {
		n /= 10
	}
	for _, args := range [][]string{
		{"-q", "run", playbook(h, "loops", fmt.Sprintf(`
steps:
  - foreach: {range: [0, %d], value: i, steps: [{id: a, uses: assert, with: {that: i >= 0}}]}
`, n))},
		{"runs", "show", "last"},
		{"runs", "verify", "last"},
	} {
		r := h.Run(args...)
		expect(t, r, 0)
		if r.Peak > 200*mib {
			t.Errorf("%v took %d MiB of memory", args, r.Peak/mib)
		}
	}
}

// used gives the bytes of the files in a directory.
func used(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.Walk(dir, func(_ string, i os.FileInfo, err error) error {
		if err == nil && i.Mode().IsRegular() {
			n += i.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStubbornProgram: what ignores SIGTERM, forks and leaves its session is ended, and whether it had its effect is a
// question for a person.
func TestStubbornProgram(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	r := h.Run("run", playbook(h, "stubborn", `
steps:
  - uses: shell
    timeout: 1s
    with:
      grace: 200ms
      script: |
        trap '' TERM HUP INT
        (trap '' TERM; echo $BASHPID > child; exec sleep 301) &
        (setsid sleep 302 & echo $! > session) 
        (setsid sh -c '(sleep 303 & echo $! > daemon)' > /dev/null 2>&1 < /dev/null &)
        while :; do sleep 0.1; done
`))
	expect(t, r, 7, "the time limit passed", `tend inbox answer task_\S+ happened\|not-happened`)
	if r.Took > 30*time.Second {
		t.Errorf("it took %s", r.Took)
	}
	for _, name := range []string{"child", "session", "daemon"} {
		b, err := os.ReadFile(filepath.Join(h.Dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); err == nil && !zombie(pid) {
			t.Errorf("%s (process %d) outlived its step", name, pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// zombie tells whether a process is dead and was not reaped yet, where that can be told.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(after, "Z")
}

// TestDaemon: a step that succeeds leaves nothing running either.
func TestDaemon(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	began := time.Now()
	expect(t, h.Run("run", playbook(h, "daemon", `
steps:
  - uses: shell
    with: {script: '(setsid sleep 304 > /dev/null 2>&1 & echo $! > daemon); sleep 305 & echo $! > child'}
`)), 0)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it waited %s for what the step left behind", took)
	}
	for _, name := range []string{"child", "daemon"} {
		b, err := os.ReadFile(filepath.Join(h.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); err == nil && !zombie(pid) {
			t.Errorf("%s (process %d) outlived its step", name, pid)
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// TestTLSMismatch: whoever cannot prove who he is gets nothing.
func TestTLSMismatch(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(plain.Close)
	h := tend.New(t)
	expect(t, h.Run("run", playbook(h, "unknown", "steps: [{uses: http, with: {method: POST, url: '"+s.URL+"/secret'}}]\n")), 1, "certificate")
	expect(t, h.Run("run", playbook(h, "other-name",
		"steps: [{uses: http, with: {method: POST, url: '"+s.URL+"/secret', tls: {serverName: other.example, ca: '"+
			strings.ReplaceAll(string(certificate(s)), "\n", "\\n")+"'}}}]\n")), 1)
	expect(t, h.Run("run", playbook(h, "no-tls",
		"steps: [{uses: http, with: {method: POST, url: '"+strings.Replace(plain.URL, "http:", "https:", 1)+"'}}]\n")), 1, "TLS|HTTPS")
	select {
	case path := <-asked:
		t.Errorf("%s was asked of a server that is not trusted", path)
	default:
	}
	for _, r := range []string{"unknown", "other-name", "no-tls"} {
		expect(t, h.Run("runs", "list", "--name", r, "--status", "failed"), 0, r)
	}
}

// TestHangingServer: a server that takes a request and never answers.
func TestHangingServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() }) // it is kept open, and nothing is ever read or said
		}
	}()
	h := tend.New(t)
	r := h.Run("run", playbook(h, "hangs", "steps: [{uses: http, with: {method: POST, url: 'http://"+l.Addr().String()+"/pay', timeout: 700ms}}]\n"))
	expect(t, r, 7, "in doubt", `tend inbox answer task_`)
	expect(t, h.Run("run", playbook(h, "hangs-read", "steps: [{uses: http, with: {url: 'http://"+l.Addr().String()+"/look', timeout: 700ms}}]\n")), 1, "no answer within 700ms")
	expect(t, h.Run("run", playbook(h, "hangs-step", "steps: [{uses: http, timeout: 700ms, with: {method: DELETE, url: 'http://"+l.Addr().String()+"/x'}}]\n")), 1, "time limit")
}
