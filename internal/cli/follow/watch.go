// Package follow shows a run as it goes on, asks the person who looks on what must be asked, and says in the end how it stands,
// by words and by the exit code.
package follow

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/story"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/transcript"
)

// Watcher follows a run on behalf of a person: it shows what happens, asks what must be asked, and stops when the run
// has ended or nothing moves it here.
type Watcher struct {
	p       *frame.Process
	session *app.Session
	run     string
	Fold    *history.Fold
	live    *live
	keys    *keyboard // nil: nobody is there to ask
	drives  bool      // Ctrl-C is about the run, not only about looking at it
	Patient bool      // also wait for questions to expire

	question *question
	handled  map[string]bool // tasks that were asked here
	signals  int
	next     uint64 // the entry that is to come
	ended    bool
	past     bool // what is shown happened before this process began
	left     bool // a second Ctrl-C: the run is left interrupted
	status   string
	waits    []history.Wait
}

// settleTime is how long nothing is heard before the run's row is looked at: it may have come to rest before the watcher
// was there.
const settleTime = 200 * time.Millisecond

// New looks at a run. Who drives it is asked its questions; quiet shows it on standard error.
func New(ctx context.Context, p *frame.Process, s *app.Session, id string, drives, quiet bool) (*Watcher, error) {
	prog, err := s.Engine.Program(ctx, id)
	if lost(s, err) {
		err = p.Look(ctx, func(s *app.Session) (err error) {
			prog, err = s.Engine.Program(ctx, id)
			return err
		})
	}
	if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
		return nil, err
	}
	fold := history.New(id, prog)
	w := &Watcher{p: p, session: s, run: id, Fold: fold, drives: drives, handled: map[string]bool{}}
	out, style := p.Out, p.OutStyle
	if quiet {
		out, style = p.Err, p.ErrStyle
	}
	w.live = newLive(out, style, fold, p.Flags.Quiet)
	if drives && terminal.IsTerminal(p.In) && p.ErrStyle.TTY {
		w.keys = newKeyboard(p.In)
	}
	return w, nil
}

// Title says which run it is, and of which playbook.
func (w *Watcher) Title(playbook string) {
	w.live.line("%s of %s", w.live.style.Bold("run "+w.run), terminal.Line(playbook))
}

// Watch returns when the run has ended, is parked, or is left alone.
func (w *Watcher) Watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	updates, err := w.session.Engine.Follow(ctx, w.run, 1)
	if lost(w.session, err) {
		return w.over(ctx)
	}
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4) // a person who hits Ctrl-C twice must be heard twice
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	rest := time.NewTimer(settleTime)
	defer rest.Stop()
	for {
		var lines <-chan string
		if w.question != nil {
			lines = w.keys.lines
		}
		select {
		case u, ok := <-updates:
			if !ok {
				return w.over(ctx)
			}
			if parked, err := w.update(ctx, u); parked || err != nil {
				return err
			}
			rest.Reset(settleTime)
		case <-rest.C:
			if parked, err := w.look(ctx); parked || err != nil {
				return err
			}
			rest.Reset(2 * time.Second)
		case line, ok := <-lines:
			if !ok {
				// Nobody types any more: as if nobody had been there.
				w.keys, w.question = nil, nil
				if parked, err := w.look(ctx); parked || err != nil {
					return err
				}
				continue
			}
			if err := w.typed(ctx, line); err != nil {
				return err
			}
		case sig := <-signals:
			if done, err := w.signalled(ctx, sig); done || err != nil {
				return err
			}
		}
		if w.live.err != nil {
			if !w.drives {
				return w.live.err
			}
			// Whoever read the output is gone. The run is not: it goes on as it would without anybody looking.
			w.live.err, w.live.quiet = nil, true
		}
	}
}

// over is called when the stream of updates has ended.
func (w *Watcher) over(ctx context.Context) error {
	if w.session.Remote != nil && !w.ended && !w.left && ctx.Err() == nil {
		// The owner may have ended because the run has, before it could say so.
		if err := w.afterwards(ctx); err != nil {
			return err
		}
	}
	v := w.Fold.View()
	w.status, w.waits = v.Status, v.Waits
	if w.ended || w.left {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fault.New(fault.Unavailable, "the process that drove run %s is gone", w.run).
		WithNext("`tend runs explain %s` tells where it stands, `tend runs resume %s` goes on", w.run, w.run)
}

// lost tells whether the owner was gone when it was asked: what it did is recorded all the same.
func lost(s *app.Session, err error) bool { return s.Remote != nil && fault.Is(err, fault.Unavailable) }

// afterwards shows what was recorded of a run that ended when its owner was gone.
func (w *Watcher) afterwards(ctx context.Context) error {
	return w.p.Look(ctx, func(s *app.Session) error {
		row, err := frame.FindRun(ctx, s.Engine, w.run)
		if err != nil || !run.Status(row.Status).Ended() {
			return err
		}
		for !w.ended {
			list, err := s.Engine.Entries(ctx, "run/"+w.run, max(w.next, 1), 1000)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, e := range list {
				w.entry(ctx, e)
			}
		}
		return nil
	})
}

func (w *Watcher) update(ctx context.Context, u engine.Update) (parked bool, err error) {
	switch {
	case u.Entry != nil:
		w.entry(ctx, *u.Entry)
	case u.Log != nil:
		w.live.log(u.Log)
	case u.Dropped > 0:
		w.live.line("%s %d lines are not shown here: `tend runs logs %s` has them", w.live.mark(markNote), u.Dropped, w.run)
	case u.Idle != nil:
		if slices.ContainsFunc(u.Idle.Waits, func(x engine.Wait) bool { return x.For == "child" }) {
			return w.look(ctx)
		}
		return w.idle(ctx, u.Idle.Status, u.Idle.Waits)
	}
	return false, nil
}

func (w *Watcher) entry(ctx context.Context, e entry.Entry) {
	if before := e.At.Before(w.p.Began); before != w.past && w.drives {
		// A story told from its beginning must not look as if everything were done again.
		if !before {
			w.live.line("%s all of this was before; it goes on here", w.live.mark(markNote))
		}
		w.past = before
	}
	w.Fold.Add(e)
	w.next = e.Seq + 1
	p, err := entry.Decode(e)
	if err != nil {
		return
	}
	switch x := p.(type) {
	case *entry.StepResult:
		w.stored(ctx, x, e.At)
	case *entry.RunEnded, *entry.RunQuarantined:
		w.ended = true
		w.question = nil
	case *entry.TaskDecided:
		w.settled(x.Task)
	case *entry.ApprovalVoid:
		w.settled(x.Task)
	case *entry.DoubtDecided:
		if w.question != nil && w.question.path == x.Path {
			w.question = nil
		}
	case *entry.StepPermitted:
		if w.question != nil && w.question.task == "" {
			w.question = nil
		}
	}
	w.live.entry(p, e.At)
}

// smallLog is the largest stored log that is shown to somebody who came too late to see it live.
const smallLog = 64 << 10

// stored shows what an attempt printed before somebody began to look on. Of a run that goes on here that is what the first
// steps printed while this process was about to look; what was printed in an earlier life is not shown again.
func (w *Watcher) stored(ctx context.Context, x *entry.StepResult, at time.Time) {
	if w.drives && at.Before(w.p.Began) || x.Log == nil || w.live.printed[attemptKey(x.Path, x.Attempt)] || w.live.hidden(x.Path) {
		return
	}
	if x.Log.Size > smallLog {
		w.live.text(x.Path, fmt.Sprintf("(%d bytes of log: tend runs logs %s)\n", x.Log.Size, w.run))
		return
	}
	b, err := w.session.Engine.Blob(ctx, w.run, *x.Log)
	if err != nil {
		return
	}
	var text strings.Builder
	for line, err := range transcript.Read(bytes.NewReader(b)) {
		if err != nil {
			break
		}
		text.WriteString(line.Text)
		if !line.More {
			text.WriteByte('\n')
		}
	}
	w.live.text(x.Path, text.String())
}

// settled takes an open question back: it was answered, here or elsewhere.
func (w *Watcher) settled(task string) {
	if w.question != nil && w.question.task == task {
		w.question = nil
	}
}

// look asks how the run stands: what the engine last said about it.
func (w *Watcher) look(ctx context.Context) (parked bool, err error) {
	if w.question != nil || w.ended {
		return false, nil
	}
	status, waits, err := app.Standing(ctx, w.session.Engine, w.run)
	if err != nil || len(waits) == 0 || run.Status(status).Ended() {
		return false, err
	}
	return w.idle(ctx, status, waits)
}

// idle decides what to do when nothing is in flight: ask, wait on, or leave the run parked.
func (w *Watcher) idle(ctx context.Context, status string, list []engine.Wait) (parked bool, err error) {
	w.status, w.waits = status, story.Waits(list)
	for _, x := range w.waits {
		if x.For == "lock" {
			w.live.locked(x)
		}
	}
	if w.question != nil || w.ended {
		return false, nil
	}
	moves := app.Moves(list, w.Patient) || w.drives && status != string(run.Paused) && due(w.waits, time.Now())
	for _, x := range w.waits {
		if w.keys == nil {
			break
		}
		switch x.For {
		case "task", "doubt", "permit":
			if !w.handled[x.For+x.On+x.Path] {
				return false, w.ask(ctx, x)
			}
			moves = moves || !w.declined(x) // answered here, and others must answer too
		case "event":
			moves = true // a person who looks on ends it by Ctrl-C
		}
	}
	return !moves, nil
}

// due tells whether the time of something has come: whoever drives the run sees to it.
func due(waits []history.Wait, now time.Time) bool {
	return slices.ContainsFunc(waits, func(x history.Wait) bool { return !x.Until.IsZero() && !now.Before(x.Until) })
}

// declined tells whether a person was asked here and did not answer.
func (w *Watcher) declined(x history.Wait) bool { return w.handled["declined"+x.On+x.Path] }

// signalled: the first Ctrl-C cancels in order, the second leaves the run interrupted. Other signals leave it at once.
func (w *Watcher) signalled(ctx context.Context, sig os.Signal) (done bool, err error) {
	if !w.drives {
		return true, context.Canceled
	}
	w.signals++
	if sig == os.Interrupt && w.signals == 1 {
		w.question = nil
		w.p.Talk("cancelling in order; Ctrl-C again leaves the run interrupted")
		_, err := w.session.Engine.Do(ctx, engine.Command{Verb: engine.Cancel, Run: w.run, By: w.session.Me, Why: "Ctrl-C"})
		if fault.Is(err, fault.Conflict) {
			err = nil // it ends anyway
		}
		return false, err
	}
	w.left = true
	_, err = w.session.Engine.Do(ctx, engine.Command{Verb: engine.Leave, Run: w.run, By: w.session.Me, Why: sig.String()})
	if fault.Is(err, fault.Conflict) {
		err = nil
	}
	w.p.Talk("left run %s interrupted; `tend runs resume %s` goes on", w.run, w.run)
	return true, err
}
