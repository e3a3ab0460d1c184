package runner_test

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/transcript"
	"github.com/tendhq/tend/internal/value"
)

// The real shell, from recorded inputs to facts.
func TestShell(t *testing.T) {
	t.Parallel()
	b := setup(t, shell.New())
	a := script(`echo "user $NAME, key $KEY"; printf '%s' "$KEY" | od -An -tx1 | tr -d ' \n'; echo done >"$TEND_WORK/report.txt"; printf '\0\377\n' >&2`)
	a.Inputs["env"] = map[string]any{"NAME": "ana", "KEY": later("{db}", "db")}
	a.Artifacts = []string{"*.txt"}
	o := b.Run(t.Context(), a)
	if o.Result.Outcome != action.Succeeded {
		t.Fatal(o.Result)
	}
	if got := o.Result.Output["value"]; got != "user ana, key [secret]\n[secret]" {
		t.Errorf("value %q", got)
	}
	if d := cmp.Diff([]string{"stdout: user ana, key [secret]", "stdout: [secret]", "stderr: ␀\ufffd"}, sorted(b.logOf(t, o))); d != "" {
		t.Error(d)
	}
	if len(o.Artifacts) != 1 || string(b.blob(t, o.Artifacts[0].Ref)) != "done\n" {
		t.Errorf("artifacts %v", o.Artifacts)
	}
}

// What is sensitive is not shown, and steps that follow have it all the same.
func TestHidden(t *testing.T) {
	t.Parallel()
	b := setup(t, shell.New())
	a := script(`echo "customer $WHO"; printf '%s' "$WHO" | base64`)
	a.Inputs["env"] = map[string]any{"WHO": "ana@example.org"}
	a.Hide = []secret.Value{secret.New("ana@example.org")}
	o := b.Run(t.Context(), a)
	if output, _ := b.opened(t, "run_1", o.Result.Output); output["value"] != "customer ana@example.org\nYW5hQGV4YW1wbGUub3Jn" {
		t.Errorf("value %q", output["value"])
	}
	if d := cmp.Diff([]string{"stdout: customer [secret]", "stdout: [secret]"}, sorted(b.logOf(t, o))); d != "" {
		t.Error(d)
	}
}

// A flood costs a bounded amount of memory and disk, and both ends of it are kept.
func TestShellThatPrintsWithoutEnd(t *testing.T) {
	// Not parallel: it measures the memory of the process.
	const printed = 1 << 30
	if testing.Short() {
		t.Skip("prints 1 GiB")
	}
	dir := t.TempDir()
	store := newShelf()
	r := runner.New(runner.Config{
		Find: func(string) (action.Action, bool) { return shell.New(), true }, Secrets: secrets{"db": "correct-horse"},
		Eval: finisher{}, Blobs: store, Scratch: dir, Live: &runner.Live{},
	})
	a := script(`echo first; head -c 1073741824 /dev/zero | tr '\0' x | fold -w 1000; echo; echo "last $KEY"`)
	a.Inputs["env"] = map[string]any{"KEY": laterDB()}

	runtime.GC()
	before, most := live(), uint64(0)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, live())
				if used := usage(t, dir); used > 16<<20 {
					t.Errorf("%d bytes on disk", used)
				}
			}
		}
	}()
	o := r.Run(t.Context(), a)
	close(stop)
	<-done
	if o.Result.Outcome != action.Succeeded {
		t.Fatal(o.Result)
	}
	if grown := int64(most) - int64(before); grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if o.Log.Size > 12<<20 || o.Log.Size < 8<<20 {
		t.Errorf("the log has %d bytes", o.Log.Size)
	}
	rc, err := store.Get(t.Context(), "run_1", *o.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	var (
		first, last string
		missing     int64
		kept        int64
	)
	for l, err := range transcript.Read(rc) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Cut != nil {
			missing = l.Cut.Bytes
			continue
		}
		if first == "" {
			first = l.Text
		}
		last = l.Text
		kept += int64(len(l.Text)) + 1
	}
	// fold adds a line end after every 1000 characters but the last ones.
	if whole := int64(printed + printed/1000 + len("first\n\nlast [secret]\n")); first != "first" || last != "last [secret]" || missing+kept != whole {
		t.Errorf("first %q, last %q, %d missing and %d kept of %d", first, last, missing, kept, whole)
	}
}

func script(text string) runner.Attempt {
	a := attempt(map[string]any{"script": text})
	a.Action, a.Effect = "shell", "mutate"
	a.Inputs = value.Object{"with": a.Inputs["with"]}
	return a
}

func live() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// usage is what the files below dir hold. Files without a name, such as spools, are looked up where /proc shows them.
func usage(t *testing.T, dir string) int64 {
	t.Helper()
	var sum int64
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, fd := range fds {
		name := filepath.Join("/proc/self/fd", fd.Name())
		if to, err := os.Readlink(name); err == nil && strings.HasPrefix(to, dir) {
			if info, err := os.Stat(name); err == nil {
				sum += info.Size()
			}
		}
	}
	return sum
}
