package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/tendhq/tend/internal/testenv"
)

// TestTerminalScripts runs testdata/terminal/*.txtar: what a person sees who sits there.
func TestTerminalScripts(t *testing.T) {
	t.Parallel()
	main, side, err := openPTY()
	testenv.Need(t, "pty", err)
	_, _ = main.Close(), side.Close()
	p := params("testdata/terminal")
	p.Cmds["term"] = term
	testscript.Run(t, p)
}

// openPTY makes a pseudo terminal of 100 columns.
func openPTY() (main, side *os.File, err error) {
	main, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetPointerInt(int(main.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	n, err := unix.IoctlGetInt(int(main.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	if err := unix.IoctlSetWinsize(int(main.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
		return nil, nil, errors.Join(err, main.Close())
	}
	side, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	return main, side, err
}

// term CODE KEYS COMMAND… runs a command on a terminal of its own, types the file KEYS, and puts what the terminal got
// into the file tty. Keys that nobody reads are lost; after them the terminal says end of file.
func term(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: term CODE KEYS COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	keys := ts.ReadFile(args[1])
	main, side, err := openPTY()
	ts.Check(err)
	defer main.Close()
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TERM", "NO_COLOR", "WORK", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	ts.Check(side.Close())
	shown := make(chan []byte, 1) // read once
	go func() {
		b, _ := io.ReadAll(main) // EIO when the other side is closed
		shown <- b
	}()
	_, err = main.WriteString(keys + "\x04")
	ts.Check(err)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		err = <-ended
	}
	out := <-shown
	ts.Check(os.WriteFile(ts.MkAbs("tty"), out, 0o600))
	ts.Logf("[terminal]\n%q", out)
	got := 0
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		got = exited.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
