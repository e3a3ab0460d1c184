package cli_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/directory"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tend": func() { os.Exit(cli.Main()) },
	})
}

// TestScripts runs testdata/script/*.txtar. Every `tend` in them is a process of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script"))
}

// params are those of all scripts: a home of their own, and no variable of the caller's that tend would read.
func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		Deadline:            time.Now().Add(10 * time.Minute),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("TEND_UPDATE") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ask":       ask,
			"code":      code,
			"collector": collector,
			"until":     until,
			"grab":      grab,
			"issuer":    issuer,
			"owner":     owner,
			"poke":      poke,
			"slack":     slack,
			"strange":   strange,
			"tracker":   tracker,
		},
		Setup: func(e *testscript.Env) error {
			home := e.WorkDir + "/home"
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			e.Setenv("HOME", home)
			e.Setenv("XDG_STATE_HOME", home+"/state")
			e.Setenv("XDG_CONFIG_HOME", home+"/config")
			return nil
		},
	}
}

// code CODE COMMAND… runs a command and wants that exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exited *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exited) {
		got = exited.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// until PATTERN COMMAND… repeats a command until its output matches, or fails after a while.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND [ARG ...]")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(time.Minute); ; {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if want.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no %q in the output of %s (%v)\n%s", args[0], strings.Join(args[1:], " "), err, out)
		}
		pause := time.NewTimer(20 * time.Millisecond)
		<-pause.C
	}
}

// grab VAR PATTERN puts the first match in the last standard output into a variable.
func grab(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: grab VAR PATTERN")
	}
	m := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no %q in the output", args[1])
	}
	ts.Setenv(args[0], m[len(m)-1])
}

// owner SIGNAL sends a signal to the process that owns the script's data directory.
func owner(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT}
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: owner INT|TERM|KILL|STOP|CONT")
	}
	o, err := directory.ReadOwner(ts.Getenv("XDG_STATE_HOME") + "/tend")
	ts.Check(err)
	ts.Check(syscall.Kill(o.PID, signals[args[0]]))
	if args[0] != "STOP" {
		return
	}
	// On a busy machine a process goes on for a while: it stops when its threads are scheduled.
	for deadline := time.Now().Add(time.Minute); ; {
		state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(o.PID)).Output()
		if bytes.HasPrefix(bytes.TrimSpace(state), []byte("T")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("process %d does not stop: %s (%v)", o.PID, state, err)
		}
		pause := time.NewTimer(10 * time.Millisecond)
		<-pause.C
	}
}

// poke FILE OLD NEW replaces the first OLD in a file by NEW, which is as long: a bit that flipped. With @N as OLD it
// writes NEW, in hex, at that offset.
func poke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: poke FILE OLD|@OFFSET NEW")
	}
	b := []byte(ts.ReadFile(args[0]))
	at, put := bytes.Index(b, []byte(args[1])), []byte(args[2])
	if offset, ok := strings.CutPrefix(args[1], "@"); ok {
		var err error
		at, err = strconv.Atoi(offset)
		ts.Check(err)
		put, err = hex.DecodeString(args[2])
		ts.Check(err)
	} else if len(put) != len(args[1]) {
		ts.Fatalf("%q and %q differ in length", args[1], args[2])
	}
	if at < 0 || at+len(put) > len(b) {
		ts.Fatalf("no %q in %s", args[1], args[0])
	}
	copy(b[at:], put)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}
