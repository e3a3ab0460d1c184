package demo

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tendhq/tend/examples"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

func (d *Stage) reclaim(ctx context.Context) error {
	dir, open, done, err := fill(d.Dir)
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
	r, err := d.Run(ctx, file, "path="+dir, "limit="+strconv.Itoa(logLimit))
	if err != nil {
		return err
	}
	after, left, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	newest := []string{filepath.Join(dir, "app.log"), filepath.Join(dir, "app.log.1"), filepath.Join(dir, "app.log.2")}
	p := d.prove()
	p.that(r.Code == 0, "the run %s is %s", r.ID, r.Status)
	p.that(after <= logLimit, "the directory holds %d MiB, %d MiB less than before, and may hold %d", after, size-after, logLimit)
	p.that(same(before, left, newest), "the newest files are byte for byte what they were: %s", baseNames(newest))
	p.that(same(before, left, open), "so are the files that are open: %s", baseNames(open))
	return p.look("Look at the run: "+d.Command("runs show "+r.ID),
		"As a page:       "+d.Command("runs export "+r.ID+" --html -f run.html"))
}

func (d *Stage) verifyFails(ctx context.Context) error {
	dir, _, done, err := fill(d.Dir)
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
	r, err := d.Run(ctx, file, "path="+dir, "limit=5", "keep=8")
	if err != nil {
		return err
	}
	after, left, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	var all []string
	for n := range before {
		all = append(all, n)
	}
	p := d.prove()
	p.that(r.Code != 0 && r.Status == "failed", "the run %s did not claim success: it is %s", r.ID, r.Status)
	p.that(r.Undone == "fully", "what it had changed was undone: %s", r.Undone)
	p.that(len(left) == len(before) && same(before, left, all), "all %d files are back, byte for byte, %d MiB as before", len(all), after)
	return p.look("Look at the run: " + d.Command("runs show "+r.ID+" -t"))
}

func (d *Stage) nobodyAnswers(ctx context.Context) error {
	file, err := d.own("nobody.yaml")
	if err != nil {
		return err
	}
	precious := filepath.Join(d.Dir, "precious.db")
	if err := os.WriteFile(precious, []byte("years of work\n"), 0o600); err != nil {
		return err
	}
	d.title("A question that nobody answers")
	d.say("The playbook wants to remove %s and must ask first. Nobody will answer within its 3 seconds.\n", precious)
	r, err := d.Alone(ctx, file, "file="+precious)
	if err != nil {
		return err
	}
	left, err := os.ReadFile(precious)
	p := d.prove()
	p.that(err == nil && string(left) == "years of work\n", "%s is still there, untouched", filepath.Base(precious))
	p.that(r.Status == "failed", "the run %s says why: no answer is no", r.ID)
	return p.look("Look at the run: " + d.Command("runs explain "+r.ID))
}

func (d *Stage) kill(ctx context.Context) error {
	file, err := d.own("kill.yaml")
	if err != nil {
		return err
	}
	ledger := filepath.Join(d.Dir, "ledger")
	d.title("Killed in the middle of a mutation")
	d.say("Another process runs a playbook that sends something which must not be sent twice. It is killed with SIGKILL\nafter the effect began and before its result is known.\n")
	if err := d.killDuring(ctx, file, ledger); err != nil {
		return err
	}
	r, err := d.Last(ctx)
	if err != nil {
		return err
	}
	d.say("")
	d.title("tend runs explain " + r.ID)
	if err := d.Explain(ctx, r.ID); err != nil {
		return err
	}
	d.say("")
	d.title("tend runs resume " + r.ID)
	if r, err = d.Resume(ctx, r.ID); err != nil {
		return err
	}
	sent, err := os.ReadFile(ledger)
	if err != nil {
		return err
	}
	p := d.prove()
	times := strings.Count(string(sent), "\n")
	p.that(times == 1 || r.Code == 0, "the effect happened %d time(s): nothing was repeated without a person's word", times)
	look := "Look at the run: " + d.Command("runs show "+r.ID+" -t")
	if r.Status == "in-doubt" {
		p.that(true, "the run asks instead of guessing")
		return p.look("Answer it:       "+d.Command("inbox"), "                 "+d.Command("inbox answer last happened --resume"), look)
	}
	p.that(r.Status == "succeeded" || r.Status == "failed", "the run went on as you said")
	return p.look(look)
}

// killDuring runs the playbook in another process and kills that one when the effect has begun.
func (d *Stage) killDuring(ctx context.Context, file, ledger string) error {
	args, err := d.Program()
	if err != nil {
		return err
	}
	args = slices.Concat(args, []string{"run", file, "-p", "ledger=" + ledger})
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	out, err := os.Create(filepath.Join(d.Dir, "killed.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "start another tend")
	}
	ended := make(chan error, 1) // one, so that nobody has to wait for it
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
	d.say("%s process %d", d.Style.Red("kill -9"), cmd.Process.Pid)
	return nil
}
