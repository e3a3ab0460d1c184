package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/testenv"
)

// helperVar makes this test binary a program that runs the script in its value, as tend would.
const helperVar = "TEND_PROCESS_TEST_SCRIPT"

func TestMain(m *testing.M) {
	if script := os.Getenv(helperVar); script != "" {
		_, err := process.Run(context.Background(), command(script, nil))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	os.Exit(m.Run())
}

func command(script string, output func(string, []byte)) process.Command {
	return process.Command{
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ(), Grace: 300 * time.Millisecond, Output: output,
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not so after 10 seconds: %s", what)
		case <-tick.C:
		}
	}
}

// pidIn waits until a file holds a process id and gives it.
func pidIn(t *testing.T, file string) int {
	t.Helper()
	pid := 0
	eventually(t, file+" holds a process id", func() bool {
		b, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(string(b), "\n") {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	return pid
}

// acts tells whether a process can still do something: a zombie cannot.
func acts(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || runtime.GOOS != "linux"
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	return f[0] != "Z" && f[0] != "X"
}

func run(t *testing.T, script string) (process.End, string) {
	t.Helper()
	var out strings.Builder
	end, err := process.Run(t.Context(), command(script, func(_ string, p []byte) { out.Write(p) }))
	if err != nil {
		t.Fatal(err)
	}
	return end, out.String()
}

func TestOrdinaryEnds(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]process.End{
		"exit 0":        {},
		"exit 7":        {Code: 7},
		"kill -TERM $$": {Code: -1, Signal: "SIGTERM"},
		"kill -KILL $$": {Code: -1, Signal: "SIGKILL"},
	} {
		if end, _ := run(t, script); end != want {
			t.Errorf("%s: %+v, not %+v", script, end, want)
		}
	}
}

func TestWhatIsLeftBehindDies(t *testing.T) {
	t.Parallel()
	testenv.Linux(t, "who left the group is found by /proc")
	for name, script := range map[string]string{
		"a child in the background": `sleep 1000 & echo $! > PID`,
		"a child that ignores TERM": `sh -c 'trap "" TERM HUP; echo $$ > PID; while :; do sleep 1000; done' & while [ ! -s PID ]; do :; done`,
		"a daemon":                  `setsid sh -c 'echo $$ > PID; exec sleep 1000' > /dev/null 2>&1 < /dev/null & while [ ! -s PID ]; do :; done`,
		"a daemon's daemon":         `setsid sh -c 'setsid sh -c "echo \$\$ > PID; exec sleep 1000" & sleep 1000' > /dev/null 2>&1 & while [ ! -s PID ]; do :; done`,
		"a daemon with the output":  `setsid sh -c 'echo $$ > PID; exec sleep 1000' & while [ ! -s PID ]; do :; done`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pidFile := filepath.Join(t.TempDir(), "pid")
			end, _ := run(t, strings.ReplaceAll(script, "PID", pidFile))
			if end != (process.End{}) {
				t.Errorf("ended %+v", end)
			}
			if pid := pidIn(t, pidFile); acts(pid) {
				t.Errorf("process %d outlived its step", pid)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
}

func TestWhatCannotBeFoundIsNoticed(t *testing.T) {
	t.Parallel()
	testenv.Linux(t, "uses setsid")
	pidFile := filepath.Join(t.TempDir(), "pid")
	end, _ := run(t, strings.ReplaceAll(`setsid env -i /bin/sh -c 'echo $$ > PID; exec /bin/sleep 1000' & while [ ! -s PID ]; do :; done; exit 3`, "PID", pidFile))
	pid := pidIn(t, pidFile)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if !end.Escaped {
		t.Errorf("ended %+v while process %d has its output open", end, pid)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		output string
	}{
		"obeys":                        {`trap 'echo bye; exit 0' TERM; echo $$ > PID; while :; do sleep 0.01; done`, "bye\n"},
		"ignores":                      {`trap '' TERM; echo $$ > PID; while :; do sleep 0.01; done`, ""},
		"never ends":                   {`echo $$ > PID; exec sleep 1000`, ""},
		"is suspended":                 {`echo $$ > PID; kill -STOP $$`, ""},
		"leaves a child that needs it": {`sh -c 'trap "sleep 0.1; echo cleaned; exit" TERM; echo $$ > PID; while :; do sleep 0.01; done' & wait`, "cleaned\n"},
		"closes its output":            {`exec >&- 2>&-; echo $$ > PID; exec sleep 1000`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "leaves a child that needs it" {
				testenv.Linux(t, "the group's members are found by /proc")
			}
			pidFile := filepath.Join(t.TempDir(), "pid")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				pidIn(t, pidFile)
				cancel()
			}()
			cmd := command(strings.ReplaceAll(c.script, "PID", pidFile), nil)
			var out strings.Builder
			cmd.Output = func(stream string, p []byte) {
				if stream == "stdout" { // shells say on stderr what ended
					out.Write(p)
				}
			}
			if name == "leaves a child that needs it" {
				cmd.Grace = 5 * time.Second
			}
			end, err := process.Run(ctx, cmd)
			if err != nil || !end.Stopped || end.Escaped {
				t.Errorf("ended %+v, %v", end, err)
			}
			if out.String() != c.output {
				t.Errorf("printed %q, not %q", out.String(), c.output)
			}
			if pid := pidIn(t, pidFile); acts(pid) {
				t.Errorf("process %d still acts", pid)
			}
		})
	}
}

func TestKillingTendKillsTheScript(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	leader, child, daemon := filepath.Join(dir, "leader"), filepath.Join(dir, "child"), filepath.Join(dir, "daemon")
	script := `echo $$ > LEADER; trap '' TERM; sh -c 'trap "" TERM HUP; echo $$ > CHILD; while :; do sleep 1; done'; true`
	if runtime.GOOS == "linux" {
		script = `setsid sh -c 'echo $$ > DAEMON; exec sleep 1000' > /dev/null 2>&1 & ` + script
	}
	script = strings.NewReplacer("LEADER", leader, "CHILD", child, "DAEMON", daemon).Replace(script)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVar+"="+script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := []int{pidIn(t, leader), pidIn(t, child)}
	if runtime.GOOS == "linux" {
		pids = append(pids, pidIn(t, daemon))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("process %d ended with tend", pid), func() bool { return !acts(pid) })
	}
}

func TestGigabyte(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("prints a gigabyte")
	}
	n := 0
	end, err := process.Run(t.Context(), command("head -c 1000000000 /dev/zero", func(_ string, p []byte) { n += len(p) }))
	if err != nil || end != (process.End{}) || n != 1_000_000_000 {
		t.Errorf("%d bytes, %+v, %v", n, end, err)
	}
}

func TestNothingIsStartedTooLate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(t.TempDir(), "side")
	if _, err := process.Run(ctx, command("touch "+file, nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it ran")
	}
	if _, err := process.Run(t.Context(), process.Command{Path: "/nowhere/at-all", Args: []string{"x"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing program gave %v", err)
	}
}
