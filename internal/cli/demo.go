package cli

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/examples"
	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/terminal"
)

//go:embed demo/*.yaml
var demoPlaybooks embed.FS

func (p *process) demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "See a real problem found, repaired, verified and explained, in a scratch directory",
		Long: "Makes a scratch directory, lets a logger fill it, and runs a playbook that repairs it. Nothing outside that directory\n" +
			"is touched, no server and no root is needed. It exits with 0 only if the verification held.",
		GroupID: groupRun,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), (*demo).reclaim) },
	}
	for _, d := range []struct {
		use, short string
		act        func(*demo, context.Context) error
	}{
		{"kill", "Kill tend in the middle of a mutation, and see the question that follows", (*demo).kill},
		{"verify-fails", "See undo and escalation when a repair does not help", (*demo).verifyFails},
		{"nobody-answers", "See that nothing happens when nobody answers", (*demo).nobodyAnswers},
	} {
		c.AddCommand(&cobra.Command{Use: d.use, Short: d.short, Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
			return p.demo(c.Context(), d.act)
		}})
	}
	return c
}

// demo is one demonstration: a scratch directory, and a tend whose data directory is in it.
type demo struct {
	*process
	dir  string
	tend string // how a person calls this program
}

func (p *process) demo(ctx context.Context, act func(*demo, context.Context) error) error {
	dir, err := os.MkdirTemp("", "tend-demo-")
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "make a scratch directory")
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	inner := *p
	if inner.flags.dataDir == "" {
		inner.flags.dataDir = filepath.Join(dir, "state")
	}
	d := &demo{process: &inner, dir: dir, tend: "tend"}
	if self, err := os.Executable(); err == nil && strings.Contains(self, "go-build") {
		d.tend = "go run ./cmd/tend"
	}
	err = act(d, ctx)
	d.say("\nEverything is in %s; `rm -rf %s` removes it.", dir, dir)
	return err
}

func (d *demo) say(format string, a ...any) { _, _ = fmt.Fprintf(d.Out, format+"\n", a...) }

func (d *demo) title(text string) { d.say("%s", d.out.Bold(text)) }

// command is how a person looks at the runs of the demonstration.
func (d *demo) command(args string) string {
	return d.tend + " --data-dir " + d.flags.dataDir + " " + args
}

// playbook writes a playbook into the scratch directory.
func (d *demo) playbook(name string, content []byte) (string, error) {
	file := filepath.Join(d.dir, name)
	return file, fault.Wrap(fault.Unavailable, os.WriteFile(file, content, 0o600), "write %s", file)
}

// run runs a playbook as `tend run` does, and gives the row of its run and its exit code.
func (d *demo) run(ctx context.Context, file string, params ...string) (store.Row, int, error) {
	err := d.runPlaybook(ctx, file, runFlags{pairs: params, output: "text"})
	code := 0
	var exited *exitError
	switch {
	case errors.As(err, &exited):
		code = exited.code
	case err != nil:
		return store.Row{}, 0, err
	}
	row, err := d.last(ctx)
	return row, code, err
}

func (d *demo) last(ctx context.Context) (store.Row, error) {
	var row store.Row
	err := d.look(ctx, func(s *app.Session) (err error) {
		row, err = findRun(ctx, s.Engine, "last")
		return err
	})
	return row, err
}

// The directory of the demonstration: a capacity that is declared, not enforced, and measured as the playbook does.
const (
	logFiles    = 10
	logFileSize = 3 << 20
	logLimit    = 16 // MiB
)

// fill lets a logger fill a directory: rotated files of earlier days, the current one, and one rotated file that a
// process still holds open. What it returns closes the open files.
func (d *demo) fill() (dir string, open []string, done func(), err error) {
	dir = filepath.Join(d.dir, "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, nil, err
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // filler
	block := make([]byte, logFileSize)
	for i := 1; i <= logFiles; i++ {
		for j := range block {
			block[j] = byte('a' + random.IntN(26))
		}
		name := filepath.Join(dir, "app.log."+strconv.Itoa(i))
		if err := os.WriteFile(name, block, 0o600); err != nil {
			return "", nil, nil, err
		}
		day := time.Now().AddDate(0, 0, -i)
		if err := os.Chtimes(name, day, day); err != nil {
			return "", nil, nil, err
		}
	}
	current, held := filepath.Join(dir, "app.log"), filepath.Join(dir, "app.log.6")
	var files []*os.File
	for _, name := range []string{current, held} {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return "", nil, nil, err
		}
		files = append(files, f)
	}
	if _, err := files[0].WriteString("the logger writes here\n"); err != nil {
		return "", nil, nil, err
	}
	return dir, []string{current, held}, func() {
		for _, f := range files {
			_ = f.Close()
		}
	}, nil
}

// sums reads every file below dir.
func sums(dir string) (map[string][32]byte, error) {
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		out[p] = [32]byte(h.Sum(nil))
		return nil
	})
	return out, err
}

// du measures a directory in MiB, as the playbook does.
func du(ctx context.Context, dir string) (int, error) {
	b, err := exec.CommandContext(ctx, "du", "-sk", dir).Output()
	if err != nil {
		return 0, fault.Wrap(fault.Missing, err, "measure %s with du", dir)
	}
	kib, err := strconv.Atoi(strings.Fields(string(b) + " 0")[0])
	return (kib + 1023) / 1024, err
}

// proof is one sentence about what must hold afterwards.
func (d *demo) proof(ok bool, format string, a ...any) bool {
	mark := d.out.Green("holds")
	if !ok {
		mark = d.out.Red("DOES NOT HOLD")
	}
	d.say("  %s: %s", mark, fmt.Sprintf(format, a...))
	return ok
}

func (d *demo) reclaim(ctx context.Context) error {
	dir, open, done, err := d.fill()
	if err != nil {
		return err
	}
	defer done()
	file, err := d.playbook("reclaim-disk.yaml", examples.ReclaimDisk)
	if err != nil {
		return err
	}
	size, before, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	d.title("A logger has filled a directory")
	d.say("%s holds %d MiB, measured with du. Its capacity is declared to be %d MiB: no file system was made,\nno quota was set; the files are real. Two of them are held open by this process: %s.", dir, size, logLimit, baseNames(open))
	d.say("")
	d.title("tend run reclaim-disk -p path=" + dir + " -p limit=" + strconv.Itoa(logLimit))
	row, code, err := d.run(ctx, file, "path="+dir, "limit="+strconv.Itoa(logLimit))
	if err != nil {
		return err
	}
	after, left, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	d.say("")
	d.title("What can be proven now")
	newest := []string{filepath.Join(dir, "app.log"), filepath.Join(dir, "app.log.1"), filepath.Join(dir, "app.log.2")}
	ok := d.proof(code == 0, "the run %s is %s", row.ID, row.Status)
	ok = d.proof(after <= logLimit, "the directory holds %d MiB, %d MiB less than before, and may hold %d", after, size-after, logLimit) && ok
	ok = d.proof(same(before, left, newest), "the newest files are byte for byte what they were: %s", baseNames(newest)) && ok
	ok = d.proof(same(before, left, open), "so are the files that are open: %s", baseNames(open)) && ok
	d.say("\nLook at the run: %s", d.command("runs show "+row.ID))
	d.say("As a page:       %s", d.command("runs export "+row.ID+" --html -f run.html"))
	if !ok {
		return exit(ExitFailed)
	}
	return nil
}

func measure(ctx context.Context, dir string) (int, map[string][32]byte, error) {
	size, err := du(ctx, dir)
	if err != nil {
		return 0, nil, err
	}
	files, err := sums(dir)
	return size, files, err
}

func same(before, after map[string][32]byte, names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool {
		b, had := before[n]
		a, has := after[n]
		return !had || !has || a != b
	})
}

func baseNames(paths []string) string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = filepath.Base(p)
	}
	return strings.Join(out, ", ")
}

func (d *demo) verifyFails(ctx context.Context) error {
	dir, _, done, err := d.fill()
	if err != nil {
		return err
	}
	defer done()
	file, err := d.playbook("reclaim-disk.yaml", examples.ReclaimDisk)
	if err != nil {
		return err
	}
	size, before, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	d.title("A repair that does not help")
	d.say("%s holds %d MiB and may hold 5. Eight of the newest files must stay, so that moving the others away cannot be enough.\n", dir, size)
	row, code, err := d.run(ctx, file, "path="+dir, "limit=5", "keep=8")
	if err != nil {
		return err
	}
	after, left, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	var body engine.RunRow
	if err := decodeBody(row, &body); err != nil {
		return err
	}
	d.say("")
	d.title("What can be proven now")
	var all []string
	for n := range before {
		all = append(all, n)
	}
	ok := d.proof(code == ExitFailed && row.Status == string(run.Failed), "the run %s did not claim success: it is %s", row.ID, row.Status)
	ok = d.proof(body.Undone == "fully", "what it had changed was undone: %s", body.Undone) && ok
	ok = d.proof(len(left) == len(before) && same(before, left, all), "all %d files are back, byte for byte, %d MiB as before", len(all), after) && ok
	d.say("\nLook at the run: %s", d.command("runs show "+row.ID+" -t"))
	if !ok {
		return exit(ExitFailed)
	}
	return nil
}

func (d *demo) nobodyAnswers(ctx context.Context) error {
	b, err := demoPlaybooks.ReadFile("demo/nobody.yaml")
	if err != nil {
		return err
	}
	file, err := d.playbook("nobody.yaml", b)
	if err != nil {
		return err
	}
	precious := filepath.Join(d.dir, "precious.db")
	if err := os.WriteFile(precious, []byte("years of work\n"), 0o600); err != nil {
		return err
	}
	d.title("A question that nobody answers")
	d.say("The playbook wants to remove %s and must ask first. Nobody will answer within its 3 seconds.\n", precious)
	d.In = strings.NewReader("") // nobody is there
	r, err := d.prepare(file, runFlags{pairs: []string{"file=" + precious}, output: "text"})
	if err != nil {
		return err
	}
	s, id, err := d.start(ctx, r, func(ctx context.Context) (*app.Session, error) { return d.act(ctx, "tend demo") })
	if err != nil {
		return err
	}
	w, err := d.newWatcher(ctx, s, id, true, false)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	w.patient = true
	w.live.line("%s of %s", w.live.style.Bold("run "+id), w.fold.View().Name)
	err = w.watch(ctx)
	var exited *exitError
	if err == nil {
		if err = d.conclude(ctx, w, false); errors.As(err, &exited) {
			err = nil
		}
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	left, rerr := os.ReadFile(precious)
	d.say("")
	d.title("What can be proven now")
	ok := d.proof(rerr == nil && string(left) == "years of work\n", "%s is still there, untouched", filepath.Base(precious))
	ok = d.proof(w.fold.View().Status == string(run.Failed), "the run %s says why: no answer is no", id) && ok
	d.say("\nLook at the run: %s", d.command("runs explain "+id))
	if !ok {
		return exit(ExitFailed)
	}
	return nil
}

func (d *demo) kill(ctx context.Context) error {
	b, err := demoPlaybooks.ReadFile("demo/kill.yaml")
	if err != nil {
		return err
	}
	file, err := d.playbook("kill.yaml", b)
	if err != nil {
		return err
	}
	ledger := filepath.Join(d.dir, "ledger")
	d.title("Killed in the middle of a mutation")
	d.say("Another process runs a playbook that sends something which must not be sent twice. It is killed with SIGKILL\nafter the effect began and before its result is known.\n")
	if err := d.killDuring(ctx, file, ledger); err != nil {
		return err
	}
	row, err := d.last(ctx)
	if err != nil {
		return err
	}
	d.say("")
	d.title("tend runs explain " + row.ID)
	err = d.look(ctx, func(s *app.Session) error {
		fold, _, err := story(ctx, s.Engine, row)
		if err == nil {
			d.say("%s\n", terminal.Clean(history.Explain(fold.View())))
		}
		return err
	})
	if err != nil {
		return err
	}
	d.title("tend runs resume " + row.ID)
	s, err := d.act(ctx, "tend demo kill")
	if err != nil {
		return err
	}
	if _, err := s.Engine.Do(ctx, engine.Command{Verb: engine.Resume, Run: row.ID, By: s.Me}); err != nil {
		return errors.Join(err, s.Close())
	}
	code := 0
	var exited *exitError
	if err := d.drive(ctx, s, row.ID, false); errors.As(err, &exited) {
		code = exited.code
	} else if err != nil {
		return err
	}
	sent, err := os.ReadFile(ledger)
	if err != nil {
		return err
	}
	d.say("")
	d.title("What can be proven now")
	times := strings.Count(string(sent), "\n")
	ok := d.proof(times == 1 || code == 0, "the effect happened %d time(s): nothing was repeated without a person's word", times)
	if code == ExitDoubt {
		ok = d.proof(true, "the run asks instead of guessing") && ok
		d.say("\nAnswer it:       %s", d.command("inbox"))
		d.say("                 %s", d.command("inbox answer last happened --resume"))
	} else {
		ok = d.proof(code == 0 || code == ExitFailed, "the run went on as you said") && ok
	}
	d.say("Look at the run: %s", d.command("runs show "+row.ID+" -t"))
	if !ok {
		return exit(ExitFailed)
	}
	return nil
}

// killDuring runs the playbook in another process and kills that one when the effect has begun.
func (d *demo) killDuring(ctx context.Context, file, ledger string) error {
	self, err := app.Program()
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "find this program")
	}
	cmd := exec.CommandContext(ctx, self, "--data-dir", d.flags.dataDir, "run", file, "-p", "ledger="+ledger)
	out, err := os.Create(filepath.Join(d.dir, "killed.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "start another tend")
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if b, err := os.ReadFile(ledger); err == nil && len(b) > 0 {
			break
		}
		select {
		case err := <-ended:
			b, _ := os.ReadFile(out.Name())
			return errors.Join(fault.New(fault.Internal, "the process ended before it could be killed:\n%s", b), err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if time.Now().After(deadline) {
				return fault.New(fault.Timeout, "the effect did not begin")
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	if err := <-ended; err == nil {
		return fault.New(fault.Unavailable, "the command ended before it could be killed")
	}
	b, err := os.ReadFile(out.Name())
	if err != nil {
		return err
	}
	d.say("%s", strings.TrimRight(terminal.Clean(string(b)), "\n"))
	d.say("%s process %d", d.out.Red("kill -9"), cmd.Process.Pid)
	return nil
}
