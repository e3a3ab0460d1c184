package dir_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/blob/dir"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/testenv"
)

// traced names the variable that turns the test binary into a process that writes blobs in this directory.
const traced = "TEND_TEST_TRACED"

func TestMain(m *testing.M) {
	name := os.Getenv(traced)
	if name == "" {
		os.Exit(m.Run())
	}
	runtime.LockOSThread() // strace counts the calls of each thread by itself
	tell(name, os.Stdout)
}

// tell puts, replaces and deletes a blob, and says how each went.
func tell(name string, out io.Writer) {
	ctx := context.Background()
	said := func(what string, err error) {
		kind := fault.Kind("ok")
		if err != nil {
			kind = fault.KindOf(err)
		}
		fmt.Fprintln(out, what, kind)
	}
	s, err := dir.Open(name)
	if err != nil {
		said("open", err)
		return
	}
	ref, err := s.Put(ctx, "run_a", strings.NewReader("content"))
	said("put", err)
	if err == nil {
		_, err = s.Replace(ctx, "run_a", ref, strings.NewReader("other"))
		said("replace", err)
	}
	_, err = s.Put(ctx, "run_a", strings.NewReader("more"))
	said("put", err)
	said("delete", s.Delete(ctx, "run_a"))
}

// trace runs tell under strace and gives its output and the lines of the trace.
func trace(t *testing.T, name string, args ...string) (out, lines string) {
	t.Helper()
	strace := testenv.Program(t, "strace", "strace")
	log := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command(strace, append(append([]string{"-f", "-y", "-o", log}, args...), os.Args[0])...)
	cmd.Env = append(os.Environ(), traced+"="+name)
	b, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(b), "ptrace") {
		testenv.Need(t, "strace", errors.New(string(b)))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	l, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), string(l)
}

var (
	call  = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	named = regexp.MustCompile(`[0-9a-f]{32}`)
	paths = regexp.MustCompile(`\d+<([^>]*)>|"([^"]*)"`)
)

// TestOperations shows the order of everything that makes a blob durable: it is written and synced before it has its
// name, and the name is synced before Put answers.
func TestOperations(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "blobs")
	_, log := trace(t, name, "-e", "trace=mkdirat,renameat,renameat2,fsync,unlinkat,write")
	var got strings.Builder
	ids := map[string]string{}
	for line := range strings.Lines(log) {
		m := call.FindStringSubmatch(line)
		if m == nil || strings.Contains(line, "EEXIST") || !strings.Contains(line, filepath.Dir(name)) && m[1] != "write" {
			continue
		}
		var args []string
		for _, p := range paths.FindAllStringSubmatch(m[2], -1) {
			arg := p[1] + p[2]
			if arg == filepath.Dir(name) {
				arg = ".."
			}
			arg = strings.TrimPrefix(strings.TrimPrefix(arg, name), "/")
			arg = named.ReplaceAllStringFunc(arg, func(id string) string {
				if ids[id] == "" {
					ids[id] = fmt.Sprintf("<blob %d>", len(ids)+1)
				}
				return ids[id]
			})
			if arg == "" {
				arg = "."
			}
			args = append(args, arg)
		}
		if m[1] == "write" && !strings.Contains(line, name) {
			if len(args) > 1 && (strings.HasPrefix(args[1], "put ") || strings.HasPrefix(args[1], "replace ") || strings.HasPrefix(args[1], "delete ")) {
				fmt.Fprintln(&got, "answer:", strings.TrimSuffix(args[1], `\n`))
			}
			continue
		}
		fmt.Fprintln(&got, m[1], strings.Join(args, " "))
	}
	const want = `mkdirat .
fsync ..
mkdirat . run_a
fsync .
write run_a/<blob 1>.new content
fsync run_a/<blob 1>.new
renameat run_a <blob 1>.new run_a <blob 1>
fsync run_a
answer: put ok
write run_a/<blob 1>.new other
fsync run_a/<blob 1>.new
renameat run_a <blob 1>.new run_a <blob 1>
fsync run_a
answer: replace ok
write run_a/<blob 2>.new more
fsync run_a/<blob 2>.new
renameat run_a <blob 2>.new run_a <blob 2>
fsync run_a
answer: put ok
`
	head := got.String()
	if i := strings.Index(head, "unlinkat"); i > 0 {
		head = head[:i]
	}
	if d := cmp.Diff(want, strings.ReplaceAll(head, "renameat2", "renameat")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !strings.HasSuffix(got.String(), "fsync .\nanswer: delete ok\n") {
		t.Errorf("a deletion is not synced:\n%s", got.String())
	}
}

// TestInjectedErrors lets every fsync, write and rename fail. No error is swallowed, and nothing half is left with a
// name.
func TestInjectedErrors(t *testing.T) {
	t.Parallel()
	for _, calls := range []string{"fsync", "write", "renameat,renameat2"} {
		for _, errno := range []string{"EIO", "ENOSPC"} {
			t.Run(calls+" "+errno, func(t *testing.T) {
				t.Parallel()
				hits := 0
				defer func() {
					if hits < 2 && !t.Skipped() {
						t.Errorf("only %d calls were hit", hits)
					}
				}()
				for n := 1; n < 50; n++ {
					name := filepath.Join(t.TempDir(), "blobs")
					out, log := trace(t, name, "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, n))
					at := injected(log)
					if at == "" {
						return
					}
					if !strings.Contains(at, name) {
						continue // an answer on its way to us, or Go's own affairs
					}
					hits++
					if !strings.Contains(out, string(fault.Unavailable)) {
						t.Errorf("%s of call %d was swallowed:\n%s%s", errno, n, out, log)
					}
					left, err := os.ReadDir(filepath.Join(name, "run_a"))
					if err != nil && !os.IsNotExist(err) {
						t.Error(err)
					}
					for _, f := range left {
						b, err := os.ReadFile(filepath.Join(name, "run_a", f.Name()))
						if c := string(b); err != nil || !blob.ValidID(f.Name()) || c != "content" && c != "other" && c != "more" {
							t.Errorf("%s is left with %q, %v", f.Name(), c, err)
						}
					}
				}
				t.Error("the calls never end")
			})
		}
	}
}

// injected gives the line of the call that failed on purpose.
func injected(log string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "INJECTED") {
			return line
		}
	}
	return ""
}
