package run_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// world says how attempts end, by path; the rest succeeds.
type world map[string][]entry.Outcome

// lives lets a run go on until it ends and gives what acted, in order.
func lives(t *testing.T, p *player, w world) string {
	t.Helper()
	var acts []string
	for n := 0; !p.s.Status().Ended(); n++ {
		if n > 500 {
			t.Fatalf("it does not end: %s", p.tell())
		}
		d := p.decide()
		if len(d.Facts) > 0 || len(d.Renders) > 0 || len(d.Acts) == 0 {
			if !p.step() {
				break
			}
			continue
		}
		path := d.Acts[0]
		node := p.s.Node(path)
		acts = append(acts, path)
		o := entry.Succeeded
		if left := w[path]; len(left) > 0 {
			o, w[path] = left[0], left[1:]
		}
		p.fold(result(path, node.Attempt, o))
	}
	return strings.Join(acts, " ")
}

func first(string, int) int { return 0 }

const (
	fails  = entry.Failed
	doubts = entry.InDoubt
)

// retry gives the run that retries an ended one.
func retry(t *testing.T, p *player) *player {
	t.Helper()
	carried, err := run.Carry(p.s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := carried.State()
	if err != nil {
		t.Fatal(err)
	}
	next := plays(t, p.prog, first)
	next.fold(&entry.RunCarried{From: "run-1", State: c})
	return next
}

// TestRetryOfARun: what the failed run did, and what its retry does.
func TestRetryOfARun(t *testing.T) {
	t.Parallel()
	m := func(more ...func(*program.Node)) program.Node { return act(contract.Mutate, more...) }
	list3 := func(parallel int, steps ...program.Node) program.Node {
		n := looping(parallel, steps...)
		n.Foreach.In = &expr.Tree{List: []expr.Tree{{Scalar: lit("x")}, {Scalar: lit("y")}, {Scalar: lit("z")}}}
		return n
	}
	caught := block(program.KindSteps, m(), m())
	caught.Catch = []program.Node{m()}
	cleaned := block(program.KindSteps, m(), m())
	cleaned.Finally = []program.Node{m()}
	for _, c := range []struct {
		name          string
		steps         []program.Node
		world         world
		first, second string
		end           string
	}{
		{"at the top", []program.Node{m(), m(), m()}, world{"steps[1]": {fails}}, "steps[0] steps[1]", "steps[1] steps[2]", "succeeded"},
		{"the first step", []program.Node{m(), m()}, world{"steps[0]": {fails}}, "steps[0]", "steps[0] steps[1]", "succeeded"},
		{"fails again", []program.Node{m(), m()}, world{"steps[1]": {fails, fails}}, "steps[0] steps[1]", "steps[1]", "failed"},
		{
			"inside a block",
			[]program.Node{m(), block(program.KindSteps, m(), m(), m()), m()},
			world{"steps[1].steps[1]": {fails}},
			"steps[0] steps[1].steps[0] steps[1].steps[1]", "steps[1].steps[1] steps[1].steps[2] steps[2]", "succeeded",
		},
		{
			"inside blocks of blocks",
			[]program.Node{block(program.KindSteps, m(), block(program.KindSteps, m(), m()))},
			world{"steps[0].steps[1].steps[1]": {fails}},
			"steps[0].steps[0] steps[0].steps[1].steps[0] steps[0].steps[1].steps[1]", "steps[0].steps[1].steps[1]", "succeeded",
		},
		{
			"inside a lock",
			[]program.Node{{Kind: program.KindLock, LockKey: lit("k"), Steps: []program.Node{m(), m()}}},
			world{"steps[0].steps[1]": {fails}},
			"steps[0].steps[0] steps[0].steps[1]", "steps[0].steps[1]", "succeeded",
		},
		{
			"inside an iteration",
			[]program.Node{list3(0, m(), m())},
			world{`steps[0].foreach["1"].steps[1]`: {fails}},
			`steps[0].foreach["0"].steps[0] steps[0].foreach["0"].steps[1] steps[0].foreach["1"].steps[0] steps[0].foreach["1"].steps[1]`,
			`steps[0].foreach["1"].steps[1] steps[0].foreach["2"].steps[0] steps[0].foreach["2"].steps[1]`, "succeeded",
		},
		{
			"beside a branch that succeeded",
			[]program.Node{block(program.KindParallel, m(), m(), m())},
			world{"steps[0].parallel[1]": {fails}},
			"steps[0].parallel[0] steps[0].parallel[1] steps[0].parallel[2]", "steps[0].parallel[1]", "succeeded",
		},
		{
			"after a finally",
			[]program.Node{cleaned},
			world{"steps[0].steps[1]": {fails}},
			"steps[0].steps[0] steps[0].steps[1] steps[0].finally[0]", "steps[0].steps[1] steps[0].finally[0]", "succeeded",
		},
		{
			"what was caught is over",
			[]program.Node{caught, m()},
			world{"steps[0].steps[1]": {fails}, "steps[1]": {fails}},
			"steps[0].steps[0] steps[0].steps[1] steps[0].catch[0] steps[1]", "steps[1]", "succeeded",
		},
		{
			"what was undone is done again",
			[]program.Node{m(), m(undone), m(), m()},
			world{"steps[3]": {fails}},
			"steps[0] steps[1] steps[2] steps[3] steps[1].undo", "steps[1] steps[2] steps[3]", "succeeded",
		},
		{
			"an undo that failed",
			[]program.Node{m(undone), m(undone), m()},
			world{"steps[2]": {fails}, "steps[1].undo": {fails}},
			"steps[0] steps[1] steps[2] steps[1].undo", "steps[1] steps[2]", "succeeded",
		},
		{
			"fails again and undoes everything",
			[]program.Node{m(undone), m()},
			world{"steps[1]": {fails, fails}},
			"steps[0] steps[1] steps[0].undo", "steps[0] steps[1] steps[0].undo", "failed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := plays(t, programOf(clone(c.steps)...), first)
			if got := lives(t, p, c.world); got != c.first || p.s.Status() != run.Failed {
				t.Fatalf("the run is %s after\n%s\nnot\n%s", p.s.Status(), got, c.first)
			}
			before := p.state()
			again := retry(t, p)
			if p.state() != before {
				t.Error("carrying on changed the run that has ended")
			}
			if got := lives(t, again, c.world); got != c.second || string(again.s.Status()) != c.end {
				t.Fatalf("the retry is %s after\n%s\nnot %s after\n%s", again.s.Status(), got, c.end, c.second)
			}
			again.replays()
		})
	}
}

// TestNoRetry: only what failed or was cancelled can be retried.
func TestNoRetry(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*run.State{
		"running":   fold(t, programOf(act(contract.Read))),
		"succeeded": fold(t, programOf(act(contract.Read)), &entry.StepSkipped{Path: at}, &entry.RunEnded{Status: "succeeded"}),
	} {
		if _, err := run.Carry(s); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRollback: newest first, with the inputs of then, and it says what it leaves.
func TestRollback(t *testing.T) {
	t.Parallel()
	kept := func(n *program.Node) { n.Undo = &program.Undo{None: "only a counter"} }
	with := func(v string) func(*program.Node) {
		return func(n *program.Node) {
			n.Undo.Step.With = map[string]expr.Tree{"back": {Scalar: lit(v)}}
			n.Undo.Step.Target = append(n.Undo.Step.Target, *lit("host:" + v))
		}
	}
	fail := func(n *program.Node) { n.OnDoubt = "fail"; n.IgnoreFailure = true }
	p := plays(t, programOf(act(contract.Mutate, undone, with("one")), act(contract.Mutate, kept), act(contract.Mutate, undone, with("two")), act(contract.Mutate, fail)), first)
	lives(t, p, world{"steps[3]": {doubts}})
	if p.s.Status() != run.Succeeded {
		t.Fatal(p.s.Status())
	}
	prog, left, err := run.Rollback(p.s)
	if err != nil || len(prog.Steps) != 2 {
		t.Fatal(prog, err)
	}
	if !slices.Equal(left, []string{"steps[1]: nothing to restore: only a counter", "steps[3]: nobody knows whether it took effect"}) {
		t.Error(left)
	}
	back := plays(t, prog, first)
	lives(t, back, world{})
	var got []string
	for _, f := range back.facts {
		if i, ok := f.(*entry.StepIntent); ok {
			b, err := value.Canonical(value.Object{"in": i.Inputs["with"], "on": i.Targets})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(b))
		}
	}
	if want := []string{`{"in":{"back":"two"},"on":["host:two"]}`, `{"in":{"back":"one"},"on":["host:one"]}`}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if _, _, err := run.Rollback(fold(t, programOf(act(contract.Read)))); !fault.Is(err, fault.Conflict) {
		t.Errorf("a run that has not ended: %v", err)
	}
	if _, _, err := run.Rollback(back.s); !fault.Is(err, fault.Conflict) {
		t.Errorf("a run that undid nothing: %v", err)
	}
}

// TestOrderOfFailure: attempts, then catch, then undo newest first, then the playbook's catch, then finally; a cancel runs
// finally and nothing else.
func TestOrderOfFailure(t *testing.T) {
	t.Parallel()
	m := func(more ...func(*program.Node)) program.Node { return act(contract.Mutate, more...) }
	for _, c := range []struct {
		name   string
		cancel bool
		world  world
		acts   string
		undone string
	}{
		{"undo, catch, finally", false, world{"steps[3]": {fails, fails}}, "steps[0] steps[1] steps[2] steps[3] steps[3] steps[2].undo steps[0].undo catch[0] finally[0]", "fully"},
		{"an attempt more", false, world{"steps[3]": {fails}}, "steps[0] steps[1] steps[2] steps[3] steps[3] finally[0]", ""},
		{
			"an undo that fails ends the undoing", false,
			world{"steps[3]": {fails, fails}, "steps[2].undo": {fails}},
			"steps[0] steps[1] steps[2] steps[3] steps[3] steps[2].undo catch[0] finally[0]", "partly",
		},
		{"a cancel", true, world{}, "steps[0] finally[0]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			prog := programOf(m(undone), m(), m(undone), m(retried(2)))
			prog.Catch, prog.Finally = []program.Node{m()}, []program.Node{m()}
			p := plays(t, prog, first)
			if c.cancel {
				for p.s.Node("steps[0]") == nil || p.s.Node("steps[0]").Phase != run.PhaseActing {
					p.step()
				}
				p.fold(&entry.CancelRequested{By: ada})
			}
			acts := lives(t, p, c.world)
			if acts != c.acts || p.s.End.Undone != c.undone {
				t.Errorf("%s, undone %q, after\n%s\nnot\n%s", p.s.Status(), p.s.End.Undone, acts, c.acts)
			}
		})
	}
}

// TestNeverUndone: a step in doubt is not undone, whatever a person says of it but that it happened.
func TestNeverUndone(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"fail": "steps[0] steps[0].undo", "skip": "steps[0]", "happened": "steps[0]",
	} {
		p := plays(t, programOf(act(contract.Mutate, undone), act(contract.Mutate, undone)), func(label string, n int) int {
			if label == "doubt" {
				return slices.Index([]string{"happened", "not-happened", "again", "fail", "skip"}, answer)
			}
			return 0
		})
		got := lives(t, p, world{"steps[1]": {doubts}})
		if got = strings.Replace(got, " steps[1]", "", 1); got != want {
			t.Errorf("%s: %s", answer, got)
		}
		for _, it := range p.s.Undo {
			if it.Path == "steps[1]" && answer != "happened" {
				t.Errorf("%s: steps[1] can be undone", answer)
			}
		}
	}
}

// TestKeys: one idempotency key for an instance, over attempts and interruptions, until a person says "again".
func TestKeys(t *testing.T) {
	t.Parallel()
	for answer, n := range map[string]int{"not-happened": 1, "again": 2} {
		p := plays(t, programOf(act(contract.Mutate, retried(5)), looping(0, act(contract.Mutate))), func(label string, n int) int {
			if label == "doubt" {
				return slices.Index([]string{"happened", "not-happened", "again"}, answer)
			}
			return 0
		})
		p.prog.Steps[1].Foreach.Range = append(p.prog.Steps[1].Foreach.Range, *lit(int64(0)), *lit(int64(2)))
		lives(t, p, world{at: {fails, entry.NotStarted, doubts, fails}})
		keys, all := map[string]bool{}, map[string]bool{}
		for _, f := range p.facts {
			if i, ok := f.(*entry.StepIntent); ok {
				all[i.Key] = true
				if i.Path == at {
					keys[i.Key] = true
				}
			}
		}
		if len(keys) != n || len(all) != n+2 {
			t.Errorf("%s: %d keys of the step, %d of all", answer, len(keys), len(all))
		}
	}
}
