package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/store/storetest"
)

// victim names the variable that turns the test binary into a process that writes to a store in this directory; brief
// makes it a short story instead of an endless one.
const (
	victim = "TEND_TEST_VICTIM"
	brief  = "TEND_TEST_BRIEF"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(victim)
	if dir == "" {
		os.Exit(m.Run())
	}
	do := write
	if os.Getenv(brief) != "" {
		do = writeBriefly
	}
	if err := do(dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write goes on with four streams for ever, in groups, and says what was acknowledged: "stream length index".
func write(dir string, out io.Writer) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Dir: dir, Log: 50})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "open")
	var mu sync.Mutex // one line at a time
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for w := range 2 {
		wg.Go(func() {
			for {
				var group []store.Batch
				for i := range 2 {
					name := fmt.Sprintf("run/%d", 2*w+i)
					head, err := s.Head(ctx, name)
					if err != nil {
						errs <- err
						return
					}
					prev, err := s.Read(ctx, name, max(head.Length, 1), 1)
					if err != nil {
						errs <- err
						return
					}
					b := free(storetest.Chain(name, nil, 3, 700)...)
					if len(prev) > 0 {
						b = free(storetest.Chain(name, &prev[0], 3, 700)...)
					}
					b.Rows = []store.Row{{Key: store.Key{Kind: "run", ID: name}, Body: fmt.Append(nil, b.Entries[2].Seq)}}
					group = append(group, b)
				}
				for i, a := range s.Commit(ctx, group) {
					if a.Err != nil {
						errs <- a.Err
						return
					}
					mu.Lock()
					fmt.Fprintln(out, group[i].Entries[2].Stream, group[i].Entries[2].Seq, a.Index)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return <-errs
}

// TestKill kills a writing process again and again, at moments that chance picks. Nothing that it acknowledged is lost,
// and nothing is there by half.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 25
	if testing.Short() {
		kills = 5
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(9, 9))
	acked, index, total := map[string]int{}, uint64(0), 0
	for n := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victim+"="+dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := 1 + r.IntN(60) // answers; 1 is right after opening
		timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		lines := bufio.NewScanner(out)
		for seen := 0; lines.Scan(); {
			if seen++; seen == after {
				_ = cmd.Process.Kill()
			} // and what it said until it died counts, too
			if stream, rest, ok := strings.Cut(lines.Text(), " "); ok {
				length, at, _ := strings.Cut(rest, " ")
				i, err1 := strconv.ParseUint(at, 10, 64)
				l, err2 := strconv.Atoi(length)
				if err1 != nil || err2 != nil {
					continue // cut off in the middle of a line
				}
				acked[stream], index = max(acked[stream], l), max(index, i)
				total++
			}
		}
		timer.Stop()
		_ = cmd.Wait()
		if stderr.Len() > 0 {
			t.Fatalf("kill %d: the writer said: %s", n, stderr.String())
		}
		survived(t, fmt.Sprintf("kill %d", n), dir, acked, index)
		if t.Failed() {
			return
		}
	}
	if total < kills {
		t.Errorf("only %d commits were acknowledged over %d kills", total, kills)
	}
	t.Logf("%d kills, %d acknowledged commits, index %d", kills, total, index)
}

func survived(t *testing.T, what, dir string, acked map[string]int, index uint64) {
	t.Helper()
	s := open(t, dir)
	defer s.Close() //nolint:errcheck // only read
	if i := identity(t, s); i.Index < index || i.Halted != "" {
		t.Errorf("%s: it is at %+v; %d was acknowledged", what, i, index)
	}
	for stream, length := range acked {
		got := read(t, s, stream)
		if len(got) < length || len(got)%3 != 0 {
			t.Errorf("%s: %s has %d entries; %d were acknowledged", what, stream, len(got), length)
		}
		page, err := s.Rows(t.Context(), store.Filter{Kind: "run", ID: stream})
		if err != nil || len(page.Rows) != 1 || string(page.Rows[0].Body) != fmt.Sprint(len(got)) {
			t.Errorf("%s: %s has %d entries, and its row is %+v, %v", what, stream, len(got), page, err)
		}
	}
	if _, _, damaged, err := s.Verify(t.Context()); len(damaged) > 0 || err != nil {
		t.Errorf("%s: verify: %v, %v", what, damaged, err)
	}
}
