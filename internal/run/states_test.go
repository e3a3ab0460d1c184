package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/value"
)

// stage is a phase and the facts that lead to it.
type stage struct {
	name  string
	facts []entry.Payload
}

// move is a fact, which may depend on the attempt that the instance is at.
type move struct {
	name string
	fact func(attempt int) entry.Payload
}

func always(name string, p entry.Payload) move {
	return move{name, func(int) entry.Payload { return p }}
}

const at = "steps[0]"

func when(v bool) entry.Payload { return &entry.Condition{Path: at, What: "when", Value: v} }

// moves are all facts about steps and blocks. An instance takes those that its place in the diagram has, and no other.
func moves() []move {
	say := func(answer string) move {
		return always("doubt: "+answer, &entry.DoubtDecided{Path: at, Answer: answer, By: ada})
	}
	end := func(o entry.Outcome) move {
		return move{"result: " + string(o), func(n int) entry.Payload { return result(at, n, o) }}
	}
	return []move{
		always("when", when(true)),
		always("when not", when(false)),
		always("assert", &entry.Condition{Path: at, What: "assert", Value: true}),
		always("assert not", &entry.Condition{Path: at, What: "assert", Text: "no"}),
		always("until not", &entry.Condition{Path: at, What: "until"}),
		always("stopWhen not", &entry.Condition{Path: at, What: "stopWhen"}),
		always("skipped", &entry.StepSkipped{Path: at}),
		always("refused", &entry.StepRefused{Path: at, Fault: why}),
		always("held", &entry.StepHeld{Path: at, Guard: "g"}),
		{"intent", func(n int) entry.Payload { return intent(at, n+1) }},
		{"intent unshown", func(n int) entry.Payload {
			return &entry.StepIntent{Path: at, Attempt: n + 1, Effect: "mutate", Hash: other, Inputs: value.Object{}}
		}},
		{"intent again", func(n int) entry.Payload { return intent(at, n) }},
		end(entry.Succeeded), end(entry.Failed), end(entry.NotStarted), end(entry.InDoubt),
		{"result late", func(n int) entry.Payload { return result(at, n-1, entry.Succeeded) }},
		always("retry", &entry.RetryScheduled{Path: at, At: noon}),
		always("undo prepared", &entry.UndoPrepared{Path: at}),
		always("verified", &entry.StepVerified{Path: at, OK: true}),
		always("verified not", &entry.StepVerified{Path: at, Fault: &why}),
		always("approval asked", &entry.ApprovalAsked{Path: at, Task: "t", Hash: shown}),
		always("approval void", &entry.ApprovalVoid{Path: at, Task: "t"}),
		always("task opened", &entry.TaskOpened{Path: at, Task: "t"}),
		always("task: approved", &entry.TaskDecided{Path: at, Task: "t", Outcome: "approved"}),
		always("task: rejected", &entry.TaskDecided{Path: at, Task: "t", Outcome: "rejected"}),
		always("task: another", &entry.TaskDecided{Path: at, Task: "u", Outcome: "approved"}),
		always("doubt asked", &entry.DoubtAsked{Path: at, Task: "t"}),
		say("happened"), say("not-happened"), say("again"), say("fail"), say("skip"), say("left"), say("unclear"), say("perhaps"),
		always("wait", &entry.WaitStarted{Path: at, Until: noon}),
		always("wait ended", &entry.WaitEnded{Path: at}),
		always("called back", &entry.WaitEnded{Path: at, Called: &entry.Who{Name: "callback"}}),
		always("wait failed", &entry.WaitEnded{Path: at, Fault: &why}),
		always("child", &entry.ChildStarted{Path: at, Child: "c"}),
		always("child ended", &entry.ChildEnded{Path: at, Child: "c", Status: "succeeded"}),
		always("child failed", &entry.ChildEnded{Path: at, Child: "c", Status: "failed", Fault: &why}),
		always("child: another", &entry.ChildEnded{Path: at, Child: "d", Status: "succeeded"}),
		always("block", &entry.BlockStarted{Path: at}),
		always("stopped", &entry.BlockStopped{Path: at, Fault: why}),
		always("catch", &entry.CatchEntered{Path: at, Fault: why}),
		always("finally", &entry.FinallyEntered{Path: at}),
		always("block ended", &entry.BlockEnded{Path: at, Outcome: "succeeded"}),
		always("list", &entry.LoopListed{Path: at, Count: 3, Range: true}),
		always("list not", &entry.LoopListed{Path: at, Error: &why}),
		always("iteration 0", &entry.IterationStarted{Path: at, Index: 0, Key: "0"}),
		always("iteration 1", &entry.IterationStarted{Path: at, Index: 1, Key: "1"}),
		always("lock", &entry.LockAsked{Path: at, Key: "k"}),
		always("lock taken", &entry.LockTaken{Path: at, Key: "k"}),
		always("lock: another", &entry.LockTaken{Path: at, Key: "l"}),
		always("lock released", &entry.LockReleased{Path: at, Key: "k"}),
	}
}

// diagram tries every move in every stage and draws what became of it: the next phase, "over", or "." where it is refused.
// Moves that are refused everywhere are left out: the diagram of a step lists what it takes, and no more.
func diagram(t *testing.T, def program.Node, stages []stage) string {
	t.Helper()
	var b strings.Builder
	line := func(name string, cells []string) {
		row := fmt.Sprintf("%-20s", name)
		for _, c := range cells {
			row += fmt.Sprintf(" %-9s", c)
		}
		b.WriteString("\n" + strings.TrimRight(row, " "))
	}
	var head []string
	for _, s := range stages {
		head = append(head, s.name)
	}
	line("", head)
	for _, m := range moves() {
		var cells []string
		taken := false
		for _, st := range stages {
			s := fold(t, programOf(def), st.facts...)
			attempt := 0
			if n := s.Node(at); n != nil {
				attempt = n.Attempt
			}
			cell := "."
			err := s.Evolve(m.fact(attempt), noon.Add(time.Second))
			switch n := s.Node(at); {
			case err != nil && !fault.Is(err, fault.Damaged):
				t.Errorf("%s in %s: refused as %s: %v", m.name, st.name, fault.KindOf(err), err)
			case err != nil:
			case n == nil || n.Phase == run.PhaseDone:
				cell, taken = "over", true
			case n.Phase == run.PhaseNew:
				cell, taken = "new", true
			case n.Phase == run.PhaseFailed:
				cell, taken = "failed", true
			case n.Phase == run.PhaseDoubted:
				cell, taken = "asked", true
			default:
				cell, taken = string(n.Phase), true
			}
			cells = append(cells, cell)
		}
		if taken {
			line(m.name, cells)
		}
	}
	return b.String() + "\n"
}

func over() stage { return stage{"over", []entry.Payload{&entry.StepSkipped{Path: at}}} }

func fresh() []stage {
	return []stage{{"new", nil}, {"ready", []entry.Payload{when(true)}}}
}

// TestDiagrams is the state diagram of steps and blocks. Each line is a fact, each column a phase; what a cell says is the
// phase after it.
func TestDiagrams(t *testing.T) {
	t.Parallel()
	asked := stage{"asked", []entry.Payload{when(true), &entry.ApprovalAsked{Path: at, Task: "t", Hash: shown}}}
	yes := []entry.Payload{&entry.ApprovalAsked{Path: at, Task: "t", Hash: shown}, &entry.TaskDecided{Path: at, Task: "t", Outcome: "approved"}}
	approved := stage{"approved", yes}
	check := act(contract.Read)
	action := act(contract.Mutate, undone, retried(2), func(n *program.Node) {
		n.Approval, n.Verify = &program.Approval{}, &program.Check{Step: &check, Until: lit(true)}
	})
	failed := []entry.Payload{intent(at, 1), result(at, 1, entry.Failed)}
	doubted := []entry.Payload{intent(at, 1), result(at, 1, entry.InDoubt)}
	open := func(more ...entry.Payload) []entry.Payload {
		return append([]entry.Payload{&entry.BlockStarted{Path: at}}, more...)
	}
	for _, c := range []struct {
		name   string
		def    program.Node
		stages []stage
		want   string
	}{
		{"action", action, append(fresh(), asked, approved,
			stage{"held", list(yes, []entry.Payload{&entry.StepHeld{Path: at}})},
			stage{"acting", list(yes, []entry.Payload{intent(at, 1)})},
			stage{"acted", list(yes, did(at))},
			stage{"verifying", list(yes, did(at), []entry.Payload{&entry.UndoPrepared{Path: at}})},
			stage{"failed", list(yes, failed)},
			stage{"retrying", list(yes, failed, []entry.Payload{&entry.RetryScheduled{Path: at}})},
			stage{"acting 2", list(yes, failed, []entry.Payload{&entry.RetryScheduled{Path: at}, intent(at, 2)})},
			stage{"doubt", list(yes, doubted)},
			stage{"asked", list(yes, doubted, []entry.Payload{&entry.DoubtAsked{Path: at, Task: "t"}})},
			over(),
		), `
                     new       ready     asked     approved  held      acting    acted     verifying failed    retrying  acting 2  doubt     asked     over
when                 ready     .         .         .         .         .         .         .         .         .         .         .         .         .
when not             over      .         .         .         .         .         .         .         .         .         .         .         .         .
until not            .         .         .         .         .         .         .         verifying .         .         .         .         .         .
skipped              over      over      over      over      over      .         .         .         .         over      .         .         .         .
refused              over      over      .         over      over      .         .         .         over      over      .         .         .         .
held                 held      held      .         held      held      .         .         .         .         held      .         .         .         .
intent               .         .         .         acting    acting    .         .         .         .         acting    .         .         .         .
result: succeeded    .         .         .         .         .         acted     .         .         .         .         acted     .         .         .
result: failed       .         .         .         .         .         failed    .         .         .         .         over      .         .         .
result: not-started  .         .         .         .         .         failed    .         .         .         .         over      .         .         .
result: in-doubt     .         .         .         .         .         doubt     .         .         .         .         doubt     .         .         .
retry                .         .         .         .         .         .         .         .         retrying  .         .         .         .         .
undo prepared        .         .         .         .         .         .         verifying .         .         .         .         .         .         .
verified             .         .         .         .         .         .         .         over      .         .         .         .         .         .
verified not         .         .         .         .         .         .         .         over      .         .         .         .         .         .
approval asked       asked     asked     .         asked     asked     .         .         .         .         asked     .         .         .         .
approval void        .         ready     ready     ready     ready     .         .         .         .         ready     .         .         .         .
task: approved       .         .         ready     .         .         .         .         .         .         .         .         .         .         .
task: rejected       .         .         over      .         .         .         .         .         .         .         .         .         .         .
doubt asked          .         .         .         .         .         .         .         .         .         .         .         asked     .         .
doubt: happened      .         .         .         .         .         .         .         .         .         .         .         acted     acted     .
doubt: not-happened  .         .         .         .         .         .         .         .         .         .         .         ready     ready     .
doubt: again         .         .         .         .         .         .         .         .         .         .         .         ready     ready     .
doubt: fail          .         .         .         .         .         .         .         .         .         .         .         over      over      .
doubt: skip          .         .         .         .         .         .         .         .         .         .         .         over      over      .
doubt: left          .         .         .         .         .         .         .         .         .         .         .         over      over      .
doubt: unclear       .         .         .         .         .         .         .         .         .         .         .         doubt     .         .
`},
		{"wait", program.Node{Kind: program.KindWait, Wait: &program.Wait{Until: &program.Check{Until: lit(true)}}}, append(fresh(),
			stage{"waiting", []entry.Payload{&entry.WaitStarted{Path: at}}}, over(),
		), `
                     new       ready     waiting   over
when                 ready     .         .         .
when not             over      .         .         .
until not            .         .         waiting   .
skipped              over      over      over      .
refused              over      over      .         .
wait                 waiting   waiting   .         .
wait ended           .         .         over      .
wait failed          .         .         over      .
`},
		{"approve", program.Node{Kind: program.KindApprove, Task: &program.Task{}}, append(fresh(),
			stage{"task", []entry.Payload{&entry.TaskOpened{Path: at, Task: "t"}}}, over(),
		), `
                     new       ready     task      over
when                 ready     .         .         .
when not             over      .         .         .
skipped              over      over      over      .
refused              over      over      .         .
task opened          task      task      .         .
task: approved       .         .         over      .
task: rejected       .         .         over      .
`},
		{"playbook", program.Node{Kind: program.KindCall, Call: &program.Call{}, Approval: &program.Approval{}}, append(fresh(), asked, approved,
			stage{"child", append(slices.Clone(yes), &entry.ChildStarted{Path: at, Child: "c"})}, over(),
		), `
                     new       ready     asked     approved  child     over
when                 ready     .         .         .         .         .
when not             over      .         .         .         .         .
skipped              over      over      over      over      .         .
refused              over      over      .         over      .         .
approval asked       asked     asked     .         asked     .         .
approval void        .         ready     ready     ready     .         .
task: approved       .         .         ready     .         .         .
task: rejected       .         .         over      .         .         .
child                .         .         .         child     .         .
child ended          .         .         .         .         over      .
child failed         .         .         .         .         over      .
`},
		{"assert", program.Node{Kind: program.KindAssert}, append(fresh(), over()), `
                     new       ready     over
when                 ready     .         .
when not             over      .         .
assert               over      over      .
assert not           over      over      .
skipped              over      over      .
refused              over      over      .
`},
		{"fail", program.Node{Kind: program.KindFail}, append(fresh(), over()), `
                     new       ready     over
when                 ready     .         .
when not             over      .         .
skipped              over      over      .
refused              over      over      .
`},
		{"steps", block(program.KindSteps, act(contract.Read)), append(fresh(), asked,
			stage{"open", open()},
			stage{"acting", open(intent(at+".steps[0]", 1))},
			stage{"stopped", open(&entry.BlockStopped{Path: at, Fault: why})},
			stage{"catch", open(&entry.CatchEntered{Path: at, Fault: why})},
			stage{"finally", open(&entry.FinallyEntered{Path: at})},
			over(),
		), `
                     new       ready     asked     open      acting    stopped   catch     finally   over
when                 ready     .         .         .         .         .         .         .         .
when not             over      .         .         .         .         .         .         .         .
stopWhen not         .         .         .         open      open      open      open      open      .
skipped              over      over      over      .         .         .         .         .         .
refused              over      over      .         .         .         .         .         .         .
approval asked       asked     asked     .         .         .         .         .         .         .
approval void        .         ready     ready     .         .         .         .         .         .
task: approved       .         .         ready     .         .         .         .         .         .
task: rejected       .         .         over      .         .         .         .         .         .
block                open      open      .         .         .         .         .         .         .
stopped              .         .         .         open      open      .         open      open      .
catch                .         .         .         open      .         open      .         .         .
finally              .         .         .         open      .         open      open      .         .
block ended          .         .         .         over      .         over      over      over      .
`},
		{"foreach", program.Node{Kind: program.KindForeach, Foreach: &program.Foreach{}, Steps: []program.Node{act(contract.Read)}}, append(fresh(), asked,
			stage{"open", open()},
			stage{"listed", open(&entry.LoopListed{Path: at, Count: 3, Range: true})},
			stage{"iterating", open(&entry.LoopListed{Path: at, Count: 3, Range: true}, &entry.IterationStarted{Path: at, Key: "0"})},
			over(),
		), `
                     new       ready     asked     open      listed    iterating over
when                 ready     .         .         .         .         .         .
when not             over      .         .         .         .         .         .
stopWhen not         .         .         .         open      open      open      .
skipped              over      over      over      .         .         .         .
refused              over      over      .         .         .         .         .
approval asked       asked     asked     .         .         .         .         .
approval void        .         ready     ready     .         .         .         .
task: approved       .         .         ready     .         .         .         .
task: rejected       .         .         over      .         .         .         .
block                open      open      .         .         .         .         .
stopped              .         .         .         open      open      open      .
catch                .         .         .         open      open      open      .
finally              .         .         .         open      open      open      .
block ended          .         .         .         over      over      over      .
list                 .         .         .         open      .         .         .
list not             .         .         .         open      .         .         .
iteration 0          .         .         .         .         open      .         .
iteration 1          .         .         .         .         .         open      .
`},
		{"lock", block(program.KindLock, act(contract.Read)), append(fresh(), asked,
			stage{"open", open()},
			stage{"lock", open(&entry.LockAsked{Path: at, Key: "k"})},
			stage{"held", open(&entry.LockAsked{Path: at, Key: "k"}, &entry.LockTaken{Path: at, Key: "k"})},
			stage{"released", open(&entry.LockAsked{Path: at, Key: "k"}, &entry.LockTaken{Path: at, Key: "k"}, &entry.LockReleased{Path: at, Key: "k"})},
			over(),
		), `
                     new       ready     asked     open      lock      held      released  over
when                 ready     .         .         .         .         .         .         .
when not             over      .         .         .         .         .         .         .
stopWhen not         .         .         .         open      .         open      open      .
skipped              over      over      over      .         .         .         .         .
refused              over      over      .         .         .         .         .         .
approval asked       asked     asked     .         .         .         .         .         .
approval void        .         ready     ready     .         .         .         .         .
task: approved       .         .         ready     .         .         .         .         .
task: rejected       .         .         over      .         .         .         .         .
block                open      open      .         .         .         .         .         .
stopped              .         .         .         open      lock      open      open      .
catch                .         .         .         open      open      open      .         .
finally              .         .         .         open      open      open      .         .
block ended          .         .         .         over      over      .         over      .
lock                 .         .         .         lock      .         .         .         .
lock taken           .         .         .         .         open      .         .         .
lock released        .         .         .         .         .         open      .         .
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := diagram(t, c.def, c.stages); got != c.want {
				t.Errorf("the diagram of %s is%s\nnot%s", c.name, got, c.want)
			}
		})
	}
}

// TestRuns is the state diagram of whole runs: every status, and the facts that are refused there.
func TestRuns(t *testing.T) {
	t.Parallel()
	facts := []struct {
		name string
		p    entry.Payload
	}{
		{"created", &entry.RunCreated{By: ada}},
		{"carried", &entry.RunCarried{From: "run-0", State: value.Object{"cursor": 0}}},
		{"started", &entry.RunStarted{}},
		{"interrupted", &entry.RunInterrupted{Why: "died"}},
		{"resumed", &entry.RunResumed{By: ada}},
		{"restored", &entry.RunRestored{By: ada, Why: "backup"}},
		{"paused", &entry.RunPaused{By: ada}},
		{"unpaused", &entry.RunUnpaused{By: ada}},
		{"cancel", &entry.CancelRequested{By: ada}},
		{"params", &entry.ParamsChanged{By: ada}},
		{"permitted", &entry.StepPermitted{By: ada, All: true}},
		{"skip", &entry.SkipRequested{By: ada, Path: at}},
		{"intent", intent(at, 1)},
		{"result", result(at, 1, entry.Succeeded)},
		{"stopped", &entry.BlockStopped{Fault: why}},
		{"catch", &entry.CatchEntered{Fault: why}},
		{"finally", &entry.FinallyEntered{}},
		{"undo", &entry.UndoStarted{Fault: why}},
		{"undo ended", &entry.UndoEnded{}},
		{"succeeded", &entry.RunEnded{Status: "succeeded"}},
		{"failed", &entry.RunEnded{Status: "failed"}},
		{"cancelled", &entry.RunEnded{Status: "cancelled"}},
		{"ended oddly", &entry.RunEnded{Status: "running"}},
		{"quarantined", &entry.RunQuarantined{Why: "odd"}},
		{"vote", &entry.TaskVoted{By: ada}},
	}
	start := &entry.RunStarted{}
	prog := programOf(act(contract.Mutate, undone), program.Node{Kind: program.KindManual, Task: &program.Task{}})
	for _, c := range []struct {
		status run.Status
		facts  []entry.Payload
		takes  string // the facts that are possible, and the status after each where it changes
	}{
		{run.Pending, nil, `carried, started→running, interrupted→interrupted, restored, paused→paused, cancel→cancelling, params, skip, quarantined→quarantined`},
		{run.Running, []entry.Payload{start}, `interrupted→interrupted, restored, paused→paused, cancel→cancelling, params, skip, intent, stopped, catch, finally, undo→undoing, failed→failed, quarantined→quarantined`},
		{run.Waiting, append(append([]entry.Payload{start}, did(at)...), &entry.UndoPrepared{Path: at}, &entry.TaskOpened{Path: "steps[1]", Task: "t"}), `interrupted→interrupted, restored, paused→paused, cancel→cancelling, params, skip, stopped, catch, finally, undo, quarantined→quarantined`},
		{run.Paused, []entry.Payload{start, &entry.RunPaused{By: ada}}, `interrupted→interrupted, restored, unpaused→running, cancel→cancelling, params, skip, stopped, catch, finally, undo, failed→failed, quarantined→quarantined`},
		{run.Cancelling, []entry.Payload{start, &entry.CancelRequested{By: ada}}, `interrupted→interrupted, restored, params, skip, stopped, catch, finally, undo, cancelled→cancelled, quarantined→quarantined`},
		{run.Undoing, []entry.Payload{start, &entry.UndoStarted{Fault: why}}, `interrupted→interrupted, restored, paused→paused, cancel→cancelling, params, skip, stopped, undo ended, quarantined→quarantined`},
		{run.Interrupted, []entry.Payload{start, &entry.RunInterrupted{Why: "died"}}, `resumed→running, restored, paused, cancel, params, skip, quarantined→quarantined`},
		{run.InDoubt, []entry.Payload{start, intent(at, 1), result(at, 1, entry.InDoubt), &entry.DoubtAsked{Path: at, Task: "t"}}, `interrupted→interrupted, restored, paused→paused, cancel→cancelling, params, skip, stopped, catch, finally, undo, quarantined→quarantined`},
		{run.Succeeded, []entry.Payload{start, &entry.StepSkipped{Path: at}, &entry.StepSkipped{Path: "steps[1]"}, &entry.RunEnded{Status: "succeeded"}}, `quarantined→quarantined`},
		{run.Failed, []entry.Payload{start, &entry.RunEnded{Status: "failed"}}, `quarantined→quarantined`},
		{run.Cancelled, []entry.Payload{start, &entry.CancelRequested{By: ada}, &entry.RunEnded{Status: "cancelled"}}, `quarantined→quarantined`},
		{run.Quarantined, []entry.Payload{start, &entry.RunQuarantined{Why: "odd"}}, ``},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range facts {
				s := created(prog)
				for _, p := range c.facts {
					if err := s.Evolve(p, noon); err != nil {
						t.Fatal(err)
					}
				}
				if s.Status() != c.status {
					t.Fatalf("the run is %s, not %s", s.Status(), c.status)
				}
				err := s.Evolve(f.p, noon)
				switch {
				case err == nil && s.Status() == c.status:
					got = append(got, f.name)
				case err == nil:
					got = append(got, f.name+"→"+string(s.Status()))
				case !fault.Is(err, fault.Damaged):
					t.Errorf("%s: %v", f.name, err)
				}
			}
			if g := strings.Join(got, ", "); g != c.takes {
				t.Errorf("a run that is %s takes\n%s\nnot\n%s", c.status, g, c.takes)
			}
		})
	}
}
