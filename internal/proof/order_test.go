package proof_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/testenv"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// TestOrderOfOneRun shows what the real binary does to its data directory in one run of two steps, in the order in which
// the kernel saw it: what it writes, what it makes durable, and when the programs of steps begin. A change of the golden
// file is a change of what survives a power cut: read it as such.
//
// Of writes to one file without anything in between there is one line. Beside them stands which facts are in the file for
// the first time. What does not matter for that is left out: reads, the memory that SQLite's connections share, the note
// of how far the store had come, which is written once a second, and who owns the directory.
func TestOrderOfOneRun(t *testing.T) {
	t.Parallel()
	strace := testenv.Program(t, "strace", "strace")
	testenv.Program(t, "bash", "bash")
	h := tend.New(t)
	h.Write("two.yaml", `
apiVersion: tend/v1
kind: Playbook
metadata: {name: two}
steps:
  - {uses: shell, with: {script: 'echo one'}}
  - {uses: shell, with: {script: 'echo two'}}
`)
	file := filepath.Join(h.Temp, "trace")
	c := h.Command("run", "two.yaml")
	c.Path, c.Args = strace, append([]string{
		"strace", "-f", "-y", "-s", "5000", "-o", file,
		"-e", "trace=open,openat,write,pwrite64,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,ftruncate,execve",
	}, c.Args...)
	c.Args[9] = tend.Binary(t)
	r := h.Wait(c)
	if strings.Contains(r.Err, "ptrace") {
		testenv.Need(t, "strace", errors.New(r.Err))
	}
	if r.Code != 0 {
		t.Fatal(r)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ops := operations(t, text, h.Data)
	intended(t, ops)
	var b strings.Builder
	for _, o := range ops {
		b.WriteString(o.String() + "\n")
	}
	const golden = "testdata/order.golden"
	if os.Getenv("TEND_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s (-want +got; TEND_UPDATE=1 writes it anew):\n%s", golden, d)
	}
}

// operation is a call that changes something, or lets a program begin.
type operation struct {
	call, file string
	facts      []string // that are in the file for the first time
}

func (o operation) String() string {
	s := fmt.Sprintf("%-7s %s", o.call, o.file)
	if len(o.facts) > 0 {
		s += "  <- " + strings.Join(slices.Sorted(slices.Values(o.facts)), ", ")
	}
	return s
}

// intended proves that a step begins when its intent is durable, and that its result is stored when its log is.
func intended(t *testing.T, ops []operation) {
	t.Helper()
	durable, written := map[string]bool{}, map[string]bool{}
	begun := 0
	for _, o := range ops {
		for _, f := range o.facts {
			written[f] = true
			if step, ok := strings.CutPrefix(f, "result of "); ok && !durable["log of "+step] {
				t.Errorf("the result of %s was written before its log was durable", step)
			}
		}
		switch {
		case o.call == "sync" && o.file == "tend.db-wal":
			for f := range written {
				durable[f] = true
			}
		case o.call == "sync" && strings.HasPrefix(o.file, "blobs/RUN/"):
			durable[fmt.Sprintf("log of steps[%d]", begun-1)] = true
		case o.call == "begin" && o.file == "bash":
			if f := fmt.Sprintf("intent of steps[%d]", begun); !durable[f] {
				t.Errorf("step %d began before its intent was durable", begun)
			}
			begun++
		}
	}
	if begun != 2 || !durable["end of the run"] {
		t.Errorf("%d steps began, and the end is durable: %v", begun, durable["end of the run"])
	}
}

var (
	traced   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	quoted   = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	opened   = regexp.MustCompile(`^\d+<([^>]*)>`)
	at       = regexp.MustCompile(`(?:AT_FDCWD|\d+)<([^>]*)>, "((?:[^"\\]|\\.)*)"`)
	blobID   = regexp.MustCompile(`[0-9a-f]{32}`)
	runName  = regexp.MustCompile(`run_[0-9a-z]{20}`)
	volatile = regexp.MustCompile(`(tend-work-|\.key-)\d+`)

	// Payloads are canonical JSON: their members stand in order.
	recorded = []struct {
		what string
		form *regexp.Regexp
	}{
		{"intent of ", regexp.MustCompile(`\{"action":"shell","attempt":1,[^\x00]*?"key":"[0-9a-f]+","path":"(steps\[\d\])"`)},
		{"result of ", regexp.MustCompile(`\{"attempt":1,[^\x00]*?"outcome":"succeeded",[^\x00]*?"path":"(steps\[\d\])"`)},
		{"end of the run", regexp.MustCompile(`\{"status":"succeeded"\}()`)},
		{"seal of the run", regexp.MustCompile(`\{"head":"[0-9a-f]{64}","length":\d+,"run":"run_()`)},
	}
)

// ignored is left out: see TestOrderOfOneRun.
var ignored = []string{"tend.db-shm", "high-water", "owner.json", "sock", "lock"}

// operations reads what strace wrote.
func operations(t *testing.T, trace []byte, data string) []operation {
	t.Helper()
	var out []operation
	seen, exists := map[string]bool{}, map[string]bool{}
	begun := map[string]string{} // what a thread has begun and not ended: the call and its arguments
	add := func(call, args string) {
		o, ok := operationOf(call, args, data)
		if !ok {
			return
		}
		if o.call == "write" && o.file == "tend.db-wal" {
			plain := strings.ReplaceAll(args, `\"`, `"`)
			for _, f := range recorded {
				for _, m := range f.form.FindAllStringSubmatch(plain, -1) {
					if name := f.what + m[1]; !seen[name] {
						seen[name] = true
						o.facts = append(o.facts, name)
					}
				}
			}
		}
		switch there := exists[o.file]; o.call {
		case "create":
			if there {
				return // only opened
			}
			exists[o.file] = true
		case "remove":
			delete(exists, o.file)
		case "rename":
			before, _, _ := strings.Cut(o.file, " -> ")
			delete(exists, before)
		}
		if n := len(out) - 1; n >= 0 && o.call == "write" && out[n].call == "write" && out[n].file == o.file {
			out[n].facts = append(out[n].facts, o.facts...)
			return
		}
		out = append(out, o)
	}
	lines := bufio.NewScanner(bytes.NewReader(trace))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := resumed.FindStringSubmatch(line); m != nil {
			// Something is durable when the call has returned; a program begins when the call is made.
			if args, ok := begun[m[1]+m[2]]; ok && m[2] != "execve" {
				add(m[2], args+m[3])
			}
			delete(begun, m[1]+m[2])
			continue
		}
		m := traced.FindStringSubmatch(line)
		if m == nil {
			continue // a signal, or the end of a process
		}
		if args, ok := strings.CutSuffix(m[3], " <unfinished ...>"); ok {
			begun[m[1]+m[2]] = args
			if m[2] == "execve" {
				add(m[2], args+" = 0")
			}
			continue
		}
		add(m[2], m[3])
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// operationOf gives what a call does to the data directory, unless it fails, does nothing or is left out.
func operationOf(call, args, data string) (operation, bool) {
	ret := args[strings.LastIndex(args, " = ")+1:]
	if strings.HasPrefix(ret, "= -1") {
		return operation{}, false
	}
	if call == "execve" {
		m := quoted.FindStringSubmatch(args)
		if m == nil || filepath.Base(m[1]) == "tend" {
			return operation{}, false
		}
		return operation{call: "begin", file: filepath.Base(m[1])}, true
	}
	var names []string
	if m := opened.FindStringSubmatch(args); m != nil && call != "open" && call != "openat" && !strings.HasSuffix(call, "at") && call != "renameat2" {
		names = append(names, m[1]) // a call about an open file
	} else if ms := at.FindAllStringSubmatch(args, -1); ms != nil {
		for _, m := range ms {
			name := m[2]
			if !filepath.IsAbs(name) {
				name = filepath.Join(m[1], name)
			}
			names = append(names, name)
		}
	} else {
		for _, m := range quoted.FindAllStringSubmatch(args, -1) {
			names = append(names, m[1])
		}
	}
	for i, name := range names {
		rest, ok := strings.CutPrefix(name, data)
		if !ok {
			return operation{}, false
		}
		rest = strings.TrimPrefix(rest, "/")
		if slices.ContainsFunc(ignored, func(s string) bool { return strings.HasPrefix(rest, s) }) {
			return operation{}, false
		}
		rest = runName.ReplaceAllString(blobID.ReplaceAllString(volatile.ReplaceAllString(rest, "${1}N"), "BLOB"), "RUN")
		if names[i] = rest; rest == "" {
			names[i] = "."
		}
	}
	if len(names) == 0 {
		return operation{}, false
	}
	o := operation{file: strings.Join(names, " -> ")}
	switch call {
	case "open", "openat":
		if o.call = "create"; !strings.Contains(args, "O_CREAT") {
			return o, false
		}
	case "write", "pwrite64":
		o.call = "write"
	case "fsync", "fdatasync", "sync_file_range":
		o.call = "sync"
	case "ftruncate":
		o.call = "cut"
	case "mkdir", "mkdirat":
		o.call = "mkdir"
	case "unlink", "unlinkat":
		o.call = "remove"
	case "rename", "renameat", "renameat2":
		o.call = "rename"
	case "link", "linkat":
		o.call = "link"
	}
	return o, true
}
