package follow

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/terminal"
)

// live prints a run while it moves: a line when a step begins, what it prints indented below, a line when it is over.
// Nothing is drawn over: the output reads the same on a terminal, in a file and over a slow connection.
type live struct {
	w     io.Writer
	style terminal.Style
	fold  *history.Fold
	quiet bool

	begun   map[string]bool   // attempts whose line was printed
	waiting map[string]string // log lines of attempts whose beginning was not seen yet
	open    map[string]string // unfinished lines, by attempt and stream
	acting  map[string]bool   // paths in flight
	printed map[string]bool   // attempts of which a line was shown
	locks   map[string]string // path of what waits for a lock → who has it, as it was said
	err     error             // of the first write that did not work
}

// shownIterations is how many iterations of a loop are shown in full; after that only failures and a line now and then.
const shownIterations = 10

func newLive(w io.Writer, s terminal.Style, f *history.Fold, quiet bool) *live {
	return &live{
		w: w, style: s, fold: f, quiet: quiet, begun: map[string]bool{}, waiting: map[string]string{},
		open: map[string]string{}, acting: map[string]bool{}, printed: map[string]bool{}, locks: map[string]string{},
	}
}

func (l *live) line(format string, a ...any) {
	if l.quiet {
		return
	}
	if _, err := fmt.Fprintf(l.w, format+"\n", a...); err != nil && l.err == nil {
		l.err = err
	}
}

// marks stand before lines. Words stand there where a person does not sit: they can be searched for.
type mark int

const (
	markBegin mark = iota
	markOK
	markBad
	markSkip
	markWait
	markDoubt
	markAgain
	markUndo
	markNote
)

func (l *live) mark(m mark) string {
	s := l.style
	if !s.TTY {
		return [...]string{"begin ", "ok    ", "FAILED", "skip  ", "wait  ", "DOUBT ", "again ", "undo  ", "note  "}[m]
	}
	return [...]string{s.Blue("▸"), s.Green("✓"), s.Red("✗"), s.Dim("–"), s.Yellow("…"), s.Yellow("?"), s.Yellow("↻"), s.Yellow("↶"), s.Dim("·")}[m]
}

// entry shows a fact that was folded in already.
func (l *live) entry(p entry.Payload, at time.Time) {
	path, ok := run.PathOf(p)
	if !ok || path == "" {
		l.runFact(p)
		return
	}
	s := l.fold.Step(path)
	if s == nil {
		s = &history.Step{Path: path}
	}
	if l.hidden(path) {
		l.hiddenFact(s, p)
		return
	}
	pad := strings.Repeat("  ", l.depth(path))
	label := terminal.Line(s.Label())
	switch x := p.(type) {
	case *entry.StepIntent:
		l.begin(s, x, pad, label)
	case *entry.StepResult:
		l.result(s, x, pad, label)
	case *entry.StepRefused:
		l.over(s, pad, label)
	case *entry.StepSkipped, *entry.WaitEnded, *entry.ChildEnded, *entry.StepVerified, *entry.DoubtDecided, *entry.UndoPrepared:
		l.over(s, pad, label)
	case *entry.Condition:
		if x.What != "break" && x.What != "until" {
			l.over(s, pad, label)
		}
	case *entry.TaskDecided:
		l.line("%s%s %s: %s%s", pad, l.mark(markNote), label, x.Outcome, by(x.By))
		l.over(s, pad, label)
	case *entry.RetryScheduled:
		l.line("%s%s %s: attempt %d%s", pad, l.mark(markAgain), label, x.Attempt, in(x.At.Sub(at)))
	case *entry.StepHeld:
		l.line("%s%s %s is held: %s", pad, l.mark(markWait), label, terminal.Line(x.Why))
	case *entry.ApprovalAsked, *entry.TaskOpened, *entry.DoubtAsked:
		l.line("%s%s %s waits for a person", pad, l.mark(markWait), label)
	case *entry.ApprovalVoid:
		l.line("%s%s %s: the question is void: %s", pad, l.mark(markNote), label, terminal.Line(x.Why))
	case *entry.WaitStarted:
		l.line("%s%s %s%s", pad, l.mark(markWait), label, waitsFor(x))
	case *entry.ChildStarted:
		l.line("%s%s %s runs as %s", pad, l.mark(markBegin), label, x.Child)
	case *entry.LoopListed:
		if x.Error == nil {
			l.line("%s%s %s: %s", pad, l.mark(markBegin), label, frame.Count(int(x.Count), "iteration"))
		}
	case *entry.BlockStarted:
		if (s.Title != "" || s.ID != "") && s.Kind != string(program.KindForeach) { // a loop begins with its list

			l.line("%s%s %s", pad, l.mark(markBegin), label)
		}
	case *entry.BlockEnded:
		if s.Title != "" || s.ID != "" || s.Loop != nil || s.Status == history.Failed {
			l.over(s, pad, label)
		}
	case *entry.LockTaken:
		if _, waited := l.locks[path]; waited {
			delete(l.locks, path)
			l.line("%s%s %s has the lock %q", pad, l.mark(markBegin), label, terminal.Line(x.Key))
		}
	case *entry.BlockStopped:
		l.line("%s%s %s is stopped: %s", pad, l.mark(markBad), label, terminal.Line(x.Fault.Message))
	case *entry.CatchEntered:
		l.line("%s%s %s: handling the failure", pad, l.mark(markNote), label)
	}
}

// locked says that something waits for a lock, and who has it, once for each who has.
func (l *live) locked(w history.Wait) {
	if said, ok := l.locks[w.Path]; w.Holder == "" || ok && said == w.Holder || l.hidden(w.Path) {
		return
	}
	l.locks[w.Path] = w.Holder
	label := "a sub-playbook"
	if s := l.fold.Step(w.Path); s != nil && s.Lock != "" {
		label = s.Label()
	}
	l.line("%s%s %s waits for the lock %q, which run %s holds", strings.Repeat("  ", l.depth(w.Path)), l.mark(markWait), terminal.Line(label), terminal.Line(w.On), w.Holder)
}

func by(who []entry.Who) string {
	if len(who) == 0 {
		return ""
	}
	return " by " + terminal.Line(who[len(who)-1].Name)
}

func saying(why string) string {
	if why == "" {
		return ""
	}
	return ": " + terminal.Line(why)
}

func in(d time.Duration) string {
	if d < 50*time.Millisecond {
		return " now"
	}
	return " in " + frame.Span(d)
}

func waitsFor(x *entry.WaitStarted) string {
	switch {
	case x.Event != "":
		return " waits for event " + terminal.Line(x.Event) + " with key " + terminal.Line(x.Key)
	case !x.Until.IsZero():
		return " waits until " + x.Until.Local().Format("2006-01-02 15:04:05")
	default:
		return " waits until its condition holds"
	}
}

func (l *live) runFact(p entry.Payload) {
	switch x := p.(type) {
	case *entry.RunPaused:
		l.line("%s paused by %s%s", l.mark(markWait), terminal.Line(x.By.Name), saying(x.Why))
	case *entry.CancelRequested:
		l.line("%s cancelling, asked by %s%s", l.mark(markNote), terminal.Line(x.By.Name), saying(x.Why))
	case *entry.UndoStarted:
		l.line("%s undoing what was changed", l.mark(markUndo))
	case *entry.CatchEntered:
		l.line("%s handling the failure", l.mark(markNote))
	case *entry.FinallyEntered:
		l.line("%s cleaning up", l.mark(markNote))
	case *entry.BlockStopped:
		l.line("%s stopped: %s", l.mark(markBad), terminal.Line(x.Fault.Message))
	case *entry.RunInterrupted:
		l.line("%s interrupted: %s", l.mark(markWait), terminal.Line(x.Why))
	}
}

func (l *live) begin(s *history.Step, x *entry.StepIntent, pad, label string) {
	key := attemptKey(x.Path, x.Attempt)
	l.begun[key], l.acting[x.Path] = true, true
	if run.PlaceOf(x.Path).Helper() && s.Count > 1 {
		return // a poll is shown once
	}
	target := ""
	if len(s.Targets) > 0 {
		target = l.style.Dim("  on " + terminal.Line(strings.Join(s.Targets, ", ")))
	}
	attempt := ""
	if x.Attempt > 1 {
		attempt = fmt.Sprintf("  attempt %d", x.Attempt)
	}
	l.line("%s%s %s%s%s", pad, l.mark(markBegin), label, attempt, target)
	if text := l.waiting[key]; text != "" {
		delete(l.waiting, key)
		l.text(x.Path, text)
	}
}

func attemptKey(path string, attempt int) string { return fmt.Sprintf("%s#%d", path, attempt) }

func (l *live) result(s *history.Step, x *entry.StepResult, pad, label string) {
	key := attemptKey(x.Path, x.Attempt)
	delete(l.begun, key)
	delete(l.printed, key)
	delete(l.acting, x.Path)
	for _, stream := range []string{"stdout", "stderr", "tend"} {
		if rest := l.open[key+stream]; rest != "" {
			delete(l.open, key+stream)
			l.text(x.Path, rest)
		}
	}
	switch x.Outcome {
	case entry.InDoubt:
		switch {
		case s.Status.Over():
		case s.Effect == "read": // there is no effect to be in doubt about
			l.line("%s%s %s: attempt %d gave no answer%s", pad, l.mark(markAgain), label, x.Attempt, because(x.Fault))
		default:
			l.line("%s%s %s: nobody knows whether it took effect%s", pad, l.mark(markDoubt), label, because(x.Fault))
		}
	case entry.Failed, entry.NotStarted:
		if !s.Status.Over() {
			l.line("%s%s %s: attempt %d failed%s", pad, l.mark(markAgain), label, x.Attempt, because(x.Fault))
		}
	case entry.Succeeded:
	}
	l.over(s, pad, label)
}

func because(f *entry.Fault) string {
	if f == nil {
		return ""
	}
	return ": " + terminal.Line(f.Message)
}

// over prints how a step ended, when it has.
func (l *live) over(s *history.Step, pad, label string) {
	if !s.Status.Over() {
		return
	}
	detail := l.detail(s)
	switch s.Status {
	case history.Succeeded:
		if run.PlaceOf(s.Path).Helper() && s.Section != "undo" {
			return // the step that it belongs to says it
		}
		l.line("%s%s %s%s", pad, l.mark(markOK), label, detail)
	case history.Skipped:
		why := ""
		if s.Why != "" {
			why = ": " + terminal.Line(s.Why)
		}
		l.line("%s%s %s%s", pad, l.mark(markSkip), label, l.style.Dim(why))
	case history.Ignored:
		l.line("%s%s %s, and the failure is ignored%s%s", pad, l.mark(markBad), label, because(s.Fault), detail)
	case history.Failed:
		l.line("%s%s %s%s%s", pad, l.mark(markBad), label, because(s.Fault), detail)
	case history.Pending, history.Running, history.Waiting, history.Retrying, history.Verifying, history.InDoubt, history.Carried, history.Unreached:
	}
}

// detail is what stands behind the name of a step that is over.
func (l *live) detail(s *history.Step) string {
	var parts []string
	if d := s.Duration(); d > 0 {
		parts = append(parts, frame.Span(d))
	}
	if s.Loop != nil {
		parts = append(parts, LoopCounts(s.Loop))
	}
	if s.Count > 1 && !run.PlaceOf(s.Path).Helper() {
		parts = append(parts, fmt.Sprintf("%d attempts", s.Count))
	}
	if s.Effect != "" {
		parts = append(parts, s.Effect)
	}
	if s.Verified == "yes" {
		parts = append(parts, "verified")
	}
	if len(s.Targets) > 0 && s.Effect != "read" {
		parts = append(parts, terminal.Line(strings.Join(s.Targets, ", ")))
	}
	if len(parts) == 0 {
		return ""
	}
	return l.style.Dim("  " + strings.Join(parts, "  "))
}

// LoopCounts says how far a loop is.
func LoopCounts(x *history.Loop) string {
	parts := []string{frame.Count(int(x.Started), "iteration")}
	if x.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", x.Failed))
	}
	if x.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d skipped", x.Skipped))
	}
	if x.Broke {
		parts = append(parts, "ended by break")
	}
	return strings.Join(parts, ", ")
}

// log shows what a step prints. Lines of attempts that have not begun here yet wait for that.
func (l *live) log(c *engine.LogChunk) {
	if l.quiet || l.hidden(c.Path) {
		return
	}
	key := attemptKey(c.Path, c.Attempt)
	text := l.open[key+c.Stream] + c.Text
	cut := strings.LastIndexByte(text, '\n') + 1
	l.open[key+c.Stream] = text[cut:]
	if len(text)-cut > 1<<16 { // a line without end is shown in pieces
		cut, l.open[key+c.Stream] = len(text), ""
	}
	text = text[:cut]
	if text == "" {
		return
	}
	l.printed[key] = true
	if !l.begun[key] {
		if len(l.waiting[key]) < 1<<20 {
			l.waiting[key] += text
		}
		return
	}
	l.text(c.Path, text)
}

func (l *live) text(path, text string) {
	pad := strings.Repeat("  ", l.depth(path)) + "    "
	if len(l.acting) > 1 {
		name := path
		if s := l.fold.Step(path); s != nil {
			name = s.Label()
		}
		pad += terminal.Line(name) + " | "
	}
	for line := range strings.Lines(text) {
		l.line("%s%s", pad, l.style.Dim(terminal.Clean(strings.TrimRight(line, "\n"))))
	}
}

// depth is how far a step is indented: by the blocks around it that show.
func (l *live) depth(path string) int {
	n := 0
	for at := run.PlaceOf(path); at.Parent != ""; at = run.PlaceOf(at.Parent) {
		n++
	}
	return min(n, 10)
}

// hidden tells whether a step belongs to an iteration that is only counted.
func (l *live) hidden(path string) bool {
	for p := path; p != ""; {
		at := run.PlaceOf(p)
		if at.Iteration() {
			if loop := l.fold.Step(at.Parent); loop != nil && loop.Loop != nil && loop.Loop.Started > shownIterations {
				return true
			}
		}
		p = at.Parent
	}
	return false
}

// hiddenFact shows of a counted iteration what failed, and now and then how far the loop is.
func (l *live) hiddenFact(s *history.Step, p entry.Payload) {
	if r, ok := p.(*entry.StepResult); ok {
		delete(l.acting, s.Path)
		if r.Outcome == entry.InDoubt || (s.Status == history.Failed && !run.PlaceOf(s.Path).Helper()) {
			l.line("%s%s %s at %s%s", strings.Repeat("  ", l.depth(s.Path)), l.mark(markBad), terminal.Line(s.Label()), terminal.Line(s.Path), because(r.Fault))
		}
	}
	x, ok := p.(*entry.IterationStarted)
	if !ok || s.Loop == nil {
		return
	}
	if n := s.Loop.Started; n == shownIterations+1 || (s.Loop.Count >= 100 && n%max(s.Loop.Count/10, 10) == 0) {
		_ = x
		l.line("%s%s %s: iteration %d of %d", strings.Repeat("  ", l.depth(s.Path)), l.mark(markNote), terminal.Line(s.Label()), n, s.Loop.Count)
	}
}
