package demo

import (
	"context"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tendhq/tend/examples"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/task"
	"github.com/tendhq/tend/internal/wire"
)

// story is the whole of it: an alert comes in, and is handled.
func (d *Stage) story(ctx context.Context) error {
	dir, open, done, err := fill(d.Dir)
	if err != nil {
		return err
	}
	defer done()
	size, before, err := measure(ctx, dir)
	if err != nil {
		return err
	}
	d.title("A logger has filled a directory")
	d.say("%s holds %d MiB, measured with du. Its capacity is declared to be %d MiB: no file system was made,\nno quota was set; the files are real. Two of them are held open by this process: %s.", dir, size, logLimit, baseNames(open))

	d.say("")
	d.title("tend serve --config " + filepath.Join(d.Dir, "server.yaml"))
	disk, err := house.ReadFile("house/disk.yaml")
	if err != nil {
		return err
	}
	h, err := d.serve(ctx, map[string][]byte{"reclaim-disk.yaml": examples.ReclaimDisk, "disk.yaml": disk})
	if err != nil {
		return err
	}
	d.say("A server answers on %s, with a playbook, a trigger and a guard of %s.\nIts steps run here, because this program started it; a server of yours would refuse them.", h.Address(), filepath.Join(d.Dir, "playbooks"))
	return h.end(ctx, h.handled(ctx, dir, size, before, open))
}

// handled lets the alert about a full directory come in, and proves that it was handled.
func (h *hub) handled(ctx context.Context, dir string, size int, before map[string][32]byte, open []string) error {
	h.say("")
	h.title("An alert arrives: POST " + h.Address() + "/hooks/alertmanager")
	full := firing("d15c000000000001", map[string]string{
		"alertname": "LogDirectoryFull", "severity": "critical", "path": dir, "limit": strconv.Itoa(logLimit),
	})
	began, err := h.post(ctx, full)
	if err != nil {
		return err
	}
	a := began[0]
	h.say("No Prometheus is here: this program measures and posts what an Alertmanager would, with its bearer token.\n%s %s: %s by trigger %s; incident %s is open.", a.Event, a.Outcome, a.Run, a.Trigger, a.Incident)
	if a.Run == "" {
		return fault.New(fault.Internal, "the alert is %s: %s", a.Outcome, a.Why)
	}

	h.say("")
	h.title("tend runs watch " + a.Run)
	r, answer, err := h.attended(ctx, a.Run)
	if err != nil {
		return err
	}
	after, left, err := measure(ctx, dir)
	if err != nil {
		return err
	}

	h.say("")
	h.title("The alert is over")
	if after > logLimit {
		h.say("It is not: the directory holds %d MiB, so that it still fires.", after)
	} else {
		over, err := h.post(ctx, full.resolved())
		if err != nil {
			return err
		}
		h.say("The directory holds %d MiB, measured with du: the alert resolves.\n%s %s: %s", after, over[0].Event, over[0].Outcome, over[0].Why)
	}

	h.say("")
	h.title("tend incidents show " + a.Incident)
	inc, err := h.API().ShowIncident(ctx, a.Incident)
	if err != nil {
		return err
	}
	h.say("%s", inc.Text(time.Local))
	return h.proveHandled(ctx, &outcome{dir: dir, size: size, after: after, before: before, left: left, open: open, run: r, answer: answer, incident: inc})
}

// outcome is what came of a handled alert.
type outcome struct {
	dir          string
	size, after  int // MiB
	before, left map[string][32]byte
	open         []string
	run          Run
	answer       answer
	incident     wire.Incident
}

func (h *hub) proveHandled(ctx context.Context, o *outcome) error {
	verified, err := h.API().Verify(ctx)
	if err != nil {
		return err
	}
	audit, err := h.API().VerifyAudit(ctx)
	if err != nil {
		return err
	}
	newest := []string{filepath.Join(o.dir, "app.log"), filepath.Join(o.dir, "app.log.1"), filepath.Join(o.dir, "app.log.2")}
	p := h.prove()
	p.that(o.answer.status == "approved" && o.answer.by != "", "the guard asked before anything was moved, and %s approved %s", o.answer.by, o.answer.task)
	p.that(o.run.Code == 0 && o.run.Status == "succeeded", "the run %s is %s", o.run.ID, o.run.Status)
	p.that(o.after <= logLimit, "the directory holds %d MiB, %d MiB less than before, and may hold %d", o.after, o.size-o.after, logLimit)
	p.that(same(o.before, o.left, newest), "the newest files are byte for byte what they were: %s", baseNames(newest))
	p.that(same(o.before, o.left, o.open), "so are the files that are open: %s", baseNames(o.open))
	p.that(o.incident.Status == "resolved", "the incident %s is %s", o.incident.ID, o.incident.Status)
	p.that(len(verified.Damaged)+len(audit.Damaged) == 0, "all %d entries of %d streams verify, those of the audit trail among them", verified.Entries, verified.Streams)
	return p.look("Look at the run: "+h.Command("runs show "+o.run.ID), "What came in:    "+h.Command("events list"),
		"Who did what:    "+h.Command("audit search"))
}

// second is the principal of the demonstration that answers where nobody sits at a terminal.
const second = "rosa"

// answer is what somebody said to a question of a run.
type answer struct {
	by, status, task string
}

// attended shows a run that asks somebody: the person at the terminal, or else a second principal, through the API.
func (h *hub) attended(ctx context.Context, run string) (Run, answer, error) {
	if h.Present() {
		r, err := h.Watch(ctx, run)
		if err != nil {
			return r, answer{}, err
		}
		a, err := h.answered(ctx, run)
		return r, a, err
	}
	made, err := h.API().MakeToken(ctx, wire.MakeToken{Kind: "service", Name: second, For: "1h"})
	if err != nil {
		return Run{}, answer{}, err
	}
	h.say("Nobody sits at a terminal here. When the run asks, a second principal of this demonstration answers through the API:\n%s, who has the role approver and a token of their own.", second)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	other := make(chan error, 1) // one, so that nobody has to wait for it
	go func() {
		err := h.approve(ctx, made.Text, run)
		if err != nil {
			stop(err)
		}
		other <- err
	}()
	r, err := h.Watch(ctx, run)
	if err != nil {
		return r, answer{}, err
	}
	if err := <-other; err != nil {
		return r, answer{}, err
	}
	a, err := h.answered(ctx, run)
	return r, a, err
}

// approve says yes to the first question of a run, with somebody's token.
func (h *hub) approve(ctx context.Context, token, run string) error {
	c, err := client.Dial(h.Address(), token, "demo")
	if err != nil {
		return err
	}
	defer c.Close()
	return until(ctx, "run "+run+" asks", func() (bool, error) {
		page, err := c.API().ListTasks(ctx, client.ListTasksQuery{Parent: run, Status: []string{task.Open}})
		if err != nil || len(page.Rows) == 0 {
			return false, err
		}
		_, err = c.API().AnswerTask(ctx, page.Rows[0].ID, client.AnswerTaskQuery{}, wire.Answer{Choice: "approve", Why: "it is a demonstration"})
		return true, err
	})
}

// answered tells who answered the question of a run.
func (h *hub) answered(ctx context.Context, run string) (answer, error) {
	page, err := h.API().ListTasks(ctx, client.ListTasksQuery{Parent: run})
	if err != nil || len(page.Rows) == 0 {
		return answer{}, err
	}
	body, err := decode[engine.TaskRow](page.Rows[0].Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: page.Rows[0].Status}
	if len(body.Votes) > 0 {
		a.by, a.task = body.Votes[0].By.ID, page.Rows[0].ID
	}
	return a, nil
}
