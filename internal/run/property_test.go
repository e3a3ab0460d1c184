package run_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/sim"
	"github.com/tendhq/tend/internal/value"
)

// literals evaluates expressions that are data. One whose source is "broken" has none.
type literals struct{}

var errBroken = errors.New("there is no data")

func (literals) Value(e expr.Expr, _ expr.Scope) (any, error) {
	if e.Source == "broken" {
		return nil, errBroken
	}
	return e.Lit, nil
}

func (l literals) Text(e expr.Expr, s expr.Scope) (string, error) {
	v, err := l.Value(e, s)
	return value.Text(v), err
}

func (l literals) Truth(e expr.Expr, s expr.Scope) (bool, error) {
	v, err := l.Value(e, s)
	b, _ := v.(bool)
	return b, err
}

func (l literals) Holds(e expr.Expr, s expr.Scope) (bool, error) { return l.Truth(e, s) }

func plain() run.Env {
	return run.Env{Eval: literals{}, Spec: func(string) (contract.Spec, bool) { return contract.Spec{}, false }}
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, a ...any)
}

// player lets a run go on in a world that answers everything.
type player struct {
	t     fataler
	prog  *program.Program
	s     *run.State
	now   time.Time
	facts []entry.Payload
	times []time.Time
	pick  func(label string, n int) int // chooses below n
}

func plays(t fataler, prog *program.Program, pick func(string, int) int) *player {
	p := &player{t: t, prog: prog, s: run.New("run-1", prog), now: noon, pick: pick}
	p.fold(&entry.RunCreated{By: ada, Name: "test", Project: "default"})
	return p
}

// fold takes a fact as the store would give it back.
func (p *player) fold(f entry.Payload) {
	p.t.Helper()
	e, err := entry.New(p.now, f)
	if err == nil {
		f, err = entry.Decode(e)
	}
	if err != nil {
		p.t.Fatalf("encode %s: %v", f.Kind(), err)
	}
	p.facts, p.times = append(p.facts, f), append(p.times, p.now)
	if err := p.s.Evolve(f, p.now); err != nil {
		p.t.Fatalf("a decided fact is illegal: %v\n%s", err, p.tell())
	}
}

func (p *player) tell() string {
	var b strings.Builder
	for i, f := range p.facts {
		c, _ := value.Canonical(f)
		fmt.Fprintf(&b, "%d %s %s\n", i+1, f.Kind(), c)
	}
	return b.String()
}

func (p *player) state() string {
	b, err := value.Canonical(p.s)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	return string(b)
}

// decide decides, and checks that deciding is pure and gives the same twice.
func (p *player) decide() run.Decision {
	p.t.Helper()
	before := p.state()
	d := run.Decide(p.s, p.now)
	again := run.Decide(p.s, p.now)
	if !reflect.DeepEqual(d, again) {
		p.t.Fatalf("the same state is decided in two ways:\n%+v\n%+v", d, again)
	}
	if p.state() != before {
		p.t.Fatalf("deciding changed the state")
	}
	return d
}

// step lets the run go on by one decision. It tells whether it did.
func (p *player) step() bool {
	p.t.Helper()
	d := p.decide()
	if p.s.Status().Ended() {
		if len(d.Facts)+len(d.Renders)+len(d.Acts)+len(d.Stops)+len(d.Locks)+len(d.Children)+len(d.Waits) > 0 || !d.Wake.IsZero() {
			p.t.Fatalf("a run that is %s wants more: %+v", p.s.Status(), d)
		}
		return false
	}
	switch {
	case len(d.Facts) > 0:
		for _, f := range d.Facts {
			p.fold(f)
		}
	case len(d.Renders) > 0:
		for _, r := range d.Renders {
			p.render(r)
		}
	case len(d.Locks) > 0:
		for path, key := range d.Locks {
			p.fold(&entry.LockTaken{Path: path, Key: key})
			break
		}
	case len(d.Acts) > 0:
		p.act(d.Acts[p.pick("act", len(d.Acts))])
	case len(d.Children) > 0:
		p.child(d.Children[0])
	default:
		return p.outside(d)
	}
	return true
}

func (p *player) render(r run.Render) {
	p.t.Helper()
	a := p.s.Accept(p.s.Evaluate(r, plain()), p.now)
	for _, f := range a.Facts {
		p.fold(f)
	}
	switch {
	case a.Intent != nil:
		p.fold(a.Intent)
	case a.Call != nil:
		p.fold(&entry.ChildStarted{Path: r.Path, Child: "child-" + r.Path})
	}
}

func (p *player) act(path string) {
	p.t.Helper()
	n := p.s.Node(path)
	o := []entry.Outcome{entry.Succeeded, entry.Succeeded, entry.Succeeded, entry.Failed, entry.NotStarted, entry.InDoubt}[p.pick("outcome", 6)]
	r := &entry.StepResult{Path: path, Attempt: n.Attempt, Outcome: o}
	if o == entry.Succeeded {
		r.Output = value.Object{"value": int64(n.Attempt)}
	} else {
		r.Fault = &entry.Fault{Kind: "exit", Message: "exit 1"}
	}
	p.fold(r)
}

func (p *player) child(childID string) {
	p.t.Helper()
	status := []string{"succeeded", "failed", "cancelled"}[p.pick("child", 3)]
	p.fold(&entry.ChildEnded{Path: strings.TrimPrefix(childID, "child-"), Child: childID, Status: status})
}

// outside lets a person answer, or time go on.
func (p *player) outside(d run.Decision) bool {
	p.t.Helper()
	switch {
	case p.s.Interrupted != "":
		p.fold(&entry.RunResumed{By: ada})
		return true
	case p.s.Paused != nil:
		p.fold(&entry.RunUnpaused{By: ada})
		return true
	}
	open := p.s.OpenTasks()
	if len(open) > 0 {
		path := slices.Min(slices.Collect(maps.Keys(open)))
		if p.s.Node(path).Phase == run.PhaseDoubted {
			answer := []string{"happened", "not-happened", "again", "fail", "skip"}[p.pick("doubt", 5)]
			p.fold(&entry.DoubtDecided{Path: path, Answer: answer, By: ada})
			return true
		}
		outcome := []string{"approved", "approved", "rejected"}[p.pick("answer", 3)]
		p.fold(&entry.TaskDecided{Path: path, Task: open[path], Outcome: outcome, By: []entry.Who{ada}})
		return true
	}
	if d.Wake.IsZero() || !d.Wake.After(p.now) {
		p.t.Fatalf("a run that is %s is stuck: %+v\n%s", p.s.Status(), d, p.tell())
	}
	p.now = d.Wake
	return true
}

// meddle is what people and crashes do at any moment.
func (p *player) meddle() {
	p.t.Helper()
	if p.s.Status().Ended() {
		return
	}
	switch p.pick("meddle", 60) {
	case 0:
		if p.s.Cancel == nil && p.s.Interrupted == "" {
			p.fold(&entry.CancelRequested{By: ada})
		}
	case 1:
		if p.s.Paused == nil && p.s.Cancel == nil {
			p.fold(&entry.RunPaused{By: ada})
		}
	case 2:
		if p.s.Interrupted == "" {
			p.fold(&entry.RunInterrupted{Why: "died"})
		}
	case 3:
		p.fold(&entry.SkipRequested{By: ada, Path: fmt.Sprintf("steps[%d]", p.pick("skip", 3))})
	case 4:
		p.now = p.now.Add(time.Duration(p.pick("later", 30)) * time.Second)
	}
}

// TestEveryRunEnds: a generated playbook, in any world and with any meddling, ends; deciding is pure, what is decided is
// legal, a replay gives the same state, and undoing goes backwards over what is known.
func TestEveryRunEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "playbook")
		prog := sim.Generate(rand.New(rand.NewPCG(seed, 1)))
		p := plays(t, prog, func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(t, label) })
		for n := 0; p.step(); n++ {
			p.meddle()
			if n > 3000 {
				t.Fatalf("it goes on for ever: %s", p.tell()[max(0, len(p.tell())-5000):])
			}
		}
		p.replays()
		p.undoes()
	})
}

// replays checks that the facts fold to the same state, byte for byte.
func (p *player) replays() {
	p.t.Helper()
	s := run.New("run-1", p.prog)
	for i, f := range p.facts {
		e, err := entry.New(p.times[i], f)
		if err == nil {
			f, err = entry.Decode(e)
		}
		if err == nil {
			err = s.Evolve(f, p.times[i])
		}
		if err != nil {
			p.t.Fatalf("replay: %v", err)
		}
	}
	b, err := value.Canonical(s)
	if err != nil || string(b) != p.state() {
		p.t.Fatalf("the replay gives another state: %v\n%s\n%s", err, b, p.state())
	}
}

// undoes checks the order of what was undone, and that nothing in doubt was.
func (p *player) undoes() {
	p.t.Helper()
	var stack, undone []string
	unknown := map[string]bool{}
	failed := ""
	for _, f := range p.facts {
		switch x := f.(type) {
		case *entry.UndoPrepared:
			if x.None == "" {
				stack = append(slices.DeleteFunc(stack, func(s string) bool { return s == x.Path }), x.Path)
			}
		case *entry.StepResult:
			unknown[x.Path] = x.Outcome == entry.InDoubt
			if owner, ok := strings.CutSuffix(x.Path, ".undo"); ok && x.Outcome != entry.Succeeded {
				failed = owner
			}
		case *entry.DoubtDecided:
			unknown[x.Path] = x.Answer == "fail" || x.Answer == "left" || x.Answer == "unclear"
		case *entry.StepIntent:
			owner, ok := strings.CutSuffix(x.Path, ".undo")
			if !ok || x.Attempt > 1 {
				continue
			}
			if unknown[owner] {
				p.t.Fatalf("%s is undone although nobody knows whether it happened", owner)
			}
			if failed != "" && failed != owner && unknown[failed+".undo"] {
				p.t.Fatalf("%s is undone after the undo of %s was left in doubt", owner, failed)
			}
			undone = append(undone, owner)
		}
	}
	slices.Reverse(stack)
	at := 0
	for _, u := range undone {
		i := slices.Index(stack[at:], u)
		if i < 0 {
			p.t.Fatalf("undone %v, where newest first is %v", undone, stack)
		}
		at += i + 1
	}
}
