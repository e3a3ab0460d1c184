package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/storetest"
	"github.com/tendhq/tend/internal/testenv"
)

// writeBriefly commits a few batches and says how each was answered: "stream ok|refused|unknown".
func writeBriefly(dir string, out io.Writer) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Dir: dir, Log: 6})
	if err != nil {
		fmt.Fprintln(out, "open", fault.KindOf(err), err)
		return nil
	}
	for n := range 8 {
		name := fmt.Sprintf("run/%d", n)
		b := free(storetest.Chain(name, nil, 2, 900)...)
		b.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: name}, Body: []byte("2")}}
		fmt.Fprintln(out, name, "tried")
		a := s.Commit(ctx, []store.Batch{b})[0]
		switch {
		case a.Err == nil:
			fmt.Fprintln(out, name, "ok")
		case errors.Is(a.Err, store.ErrIndeterminate):
			fmt.Fprintln(out, name, "unknown")
		case errors.Is(a.Err, store.ErrBroken), fault.Is(a.Err, fault.Unavailable):
			fmt.Fprintln(out, name, "refused")
		default:
			return fmt.Errorf("%s: %w", name, a.Err)
		}
	}
	_ = s.Close()
	return nil
}

// TestInjectedErrors lets the kernel answer the n-th fsync or write of a process with an error. What the process was
// told is true afterwards. This is TestFaults with real error numbers, and fewer of them.
func TestInjectedErrors(t *testing.T) {
	t.Parallel()
	strace := testenv.Program(t, "strace", "strace")
	step := 2
	if testing.Short() {
		step = 9
	}
	for _, c := range []struct{ calls, errno string }{
		{"fsync,fdatasync", "EIO"},
		{"fsync,fdatasync", "ENOSPC"},
		{"pwrite64", "ENOSPC"},
		{"pwrite64", "EIO"},
	} {
		t.Run(c.calls+" "+c.errno, func(t *testing.T) {
			t.Parallel()
			answers := map[string]int{}
			stride := step
			if c.calls == "pwrite64" {
				stride *= 5 // there are many more of them
			}
			for n := 1; n < 2000; n += stride {
				dir := t.TempDir()
				log := filepath.Join(t.TempDir(), "strace")
				cmd := exec.Command(strace, "-f", "-o", log, "-e", "trace="+c.calls, "-e",
					fmt.Sprintf("inject=%s:error=%s:when=%d", c.calls, c.errno, n), os.Args[0])
				cmd.Env = append(os.Environ(), victim+"="+dir, brief+"=1")
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil {
					if strings.Contains(stderr.String(), "ptrace") {
						testenv.Need(t, "strace", errors.New(stderr.String()))
					}
					t.Fatalf("%d: %v\n%s", n, err, stderr.String())
				}
				trace, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				injected(t, fmt.Sprintf("%s of call %d", c.errno, n), dir, out, answers)
				if !bytes.Contains(trace, []byte("(INJECTED)")) {
					t.Logf("%d calls: %v", n, answers)
					return // there are no more calls
				}
			}
			t.Error("the calls never end")
		})
	}
}

func injected(t *testing.T, what, dir string, out []byte, answers map[string]int) {
	t.Helper()
	said := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		name, answer, _ := strings.Cut(lines.Text(), " ")
		if said[name] = answer; answer != "tried" {
			word, _, _ := strings.Cut(answer, " ")
			answers[word]++
		}
	}
	if kind := said["open"]; kind != "" && !strings.HasPrefix(kind, string(fault.Unavailable)) {
		t.Errorf("%s: open: %s", what, kind)
	}
	delete(said, "open")
	s := open(t, dir)
	defer s.Close() //nolint:errcheck // only read
	for name, answer := range said {
		got := read(t, s, name)
		page, err := s.Rows(t.Context(), store.Filter{Kind: "run", ID: name})
		if err != nil || len(page.Rows)*2 != len(got) {
			t.Errorf("%s: %s has %d entries and %d rows, %v", what, name, len(got), len(page.Rows), err)
		}
		if there := len(got) == 2; answer == "ok" && !there || answer == "refused" && there || answer == "tried" {
			t.Errorf("%s: %s: the answer was %s, and there are %d entries", what, name, answer, len(got))
		}
	}
	if _, _, damaged, err := s.Verify(t.Context()); len(damaged) > 0 || err != nil {
		t.Errorf("%s: verify: %v, %v", what, damaged, err)
	}
}
