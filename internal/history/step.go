package history

import (
	"cmp"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/run"
)

// blockFact handles what is about blocks and loops.
func (f *Fold) blockFact(s *Step, p entry.Payload, at time.Time) bool {
	switch x := p.(type) {
	case *entry.BlockStarted:
		s.begin(at)
		s.Status = Running
	case *entry.LoopListed:
		s.begin(at)
		if x.Error != nil {
			f.end(s, Failed, x.Error, at)
			return true
		}
		s.Loop = &Loop{Count: x.Count}
	case *entry.IterationStarted:
		f.iterate(s, x, at)
	case *entry.BlockEnded:
		f.end(s, outcome(x.Outcome), x.Fault, at)
	case *entry.BlockStopped:
		s.Why = f.mask.text(x.Fault.Message)
		f.moment(at, s.Path, "%s stopped: %s", s.Label(), s.Why)
	case *entry.CatchEntered:
		s.caught = f.mask.fault(&x.Fault)
		s.Catch = f.section(s.Catch, s.body().Catch, s.Path, "catch", s)
		f.moment(at, s.Path, "%s handles the failure: %s", s.Label(), s.caught.Message)
	case *entry.FinallyEntered:
		s.Finally = f.section(s.Finally, s.body().Finally, s.Path, "finally", s)
	case *entry.LockAsked:
		s.begin(at)
		s.Status, s.Lock = Waiting, f.mask.text(x.Key)
	case *entry.LockTaken:
		s.Status, s.Lock = Running, f.mask.text(x.Key)
	case *entry.LockReleased:
	default:
		return false
	}
	return true
}

// body gives the definition, or an empty one.
func (s *Step) body() *program.Node {
	if s.def == nil {
		return &program.Node{}
	}
	return s.def
}

func (s *Step) begin(at time.Time) {
	if s.Started.IsZero() {
		s.Started = at
	}
	s.Ended = time.Time{}
}

func outcome(o string) Status {
	switch o {
	case string(entry.Succeeded):
		return Succeeded
	case "skipped":
		return Skipped
	default:
		return Failed
	}
}

// end closes a step, and with it the iteration that it was the last of.
func (f *Fold) end(s *Step, st Status, why *entry.Fault, at time.Time) {
	if st == Failed && s.def != nil && s.def.IgnoreFailure && (why == nil || why.Kind != string(fault.Cancelled)) {
		st = Ignored
	}
	if s.Started.IsZero() && st != Skipped {
		s.Started = at
	}
	s.Status, s.Ended, s.Due, s.Held, s.Wait = st, at, time.Time{}, "", nil
	if st == Succeeded || st == Skipped {
		s.Fault = nil
	}
	if why != nil {
		s.Fault = f.mask.fault(why)
	}
	if st == Skipped {
		s.skipBelow()
	}
	switch st {
	case Failed, Ignored:
		text := "failed"
		if st == Ignored {
			text = "failed (ignored)"
		}
		if s.Fault != nil {
			text += ": " + s.Fault.Message
		}
		f.moment(at, s.Path, "%s %s", s.Label(), text)
	case Skipped:
	default:
		if s.Kind != kindIteration && !run.PlaceOf(s.Path).Helper() {
			f.moment(at, s.Path, "%s %s", s.Label(), st)
		}
	}
	at2 := run.PlaceOf(s.Path)
	switch {
	case at2.Helper() && at2.Section == "undo" && s.parent != nil:
		if s.parent.Undo == nil {
			s.parent.Undo = &Undo{}
		}
		s.parent.Undo.Done = st == Succeeded
	case s.Kind == kindIteration:
		f.iterated(s)
	case s.parent != nil && s.parent.Kind == kindIteration && !at2.Helper():
		f.endOfIteration(s, at2, at)
	}
}

// skipBelow marks what never began because the block around it was skipped.
func (s *Step) skipBelow() {
	for _, c := range s.Steps {
		if c.Status == Pending {
			c.Status = Skipped
			c.skipBelow()
		}
	}
}

// stepFact handles what is about steps.
func (f *Fold) stepFact(s *Step, p entry.Payload, at time.Time) {
	switch x := p.(type) {
	case *entry.Condition:
		f.condition(s, x, at)
	case *entry.StepHeld:
		s.begin(at)
		s.Status, s.Due, s.Why, s.Held = Waiting, x.Until, f.mask.text(x.Why), x.Guard
		if x.For == "runner" {
			s.Runner = x.Guard
		}
		f.moment(at, s.Path, "%s is held by %s: %s", s.Label(), heldBy(x), s.Why)
	case *entry.StepRefused:
		f.end(s, Failed, &x.Fault, at)
	case *entry.StepSkipped:
		s.Why = f.mask.text(x.Why)
		f.end(s, Skipped, nil, at)
		if w := x.Would; w != nil {
			on := ""
			if len(w.Targets) > 0 {
				on = " on " + strings.Join(w.Targets, ", ")
			}
			s.Would = f.mask.would(w)
			s.Why = "would have run " + w.Action + f.mask.text(on) + ": " + s.Why
			f.moment(at, s.Path, "%s would have run %s%s", s.Label(), w.Action, f.mask.text(on))
		}
		if x.By != nil {
			f.moment(at, s.Path, "%s skipped by %s", s.Label(), x.By.Name)
		}
	case *entry.StepIntent:
		f.intent(s, x, at)
	case *entry.StepResult:
		f.result(s, x, at)
	case *entry.RetryScheduled:
		s.Status, s.Due = Retrying, x.At
		f.moment(at, s.Path, "%s tries again: attempt %d is due", s.Label(), x.Attempt)
	case *entry.StepVerified:
		f.verified(s, x, at)
	case *entry.UndoPrepared:
		s.Undo = &Undo{None: f.mask.text(x.None), Inputs: f.mask.object(x.Inputs), Fault: f.mask.fault(x.Fault)}
		f.acted(s, at)
	case *entry.ApprovalAsked, *entry.ApprovalVoid, *entry.DoubtAsked, *entry.DoubtDecided, *entry.TaskOpened, *entry.TaskDecided, *entry.TaskEscalated:
		f.task(s, p, at)
	case *entry.WaitStarted:
		s.begin(at)
		s.Status, s.Wait = Waiting, x
	case *entry.WaitEnded:
		if x.Fault != nil {
			f.end(s, Failed, x.Fault, at)
			return
		}
		s.Output = f.mask.object(x.Event)
		if x.Called != nil {
			f.moment(at, s.Path, "%s was called back from %s", s.Label(), cmp.Or(x.Called.From, x.Called.Name))
		}
		f.acted(s, at)
	case *entry.ChildStarted:
		s.begin(at)
		s.Status, s.Child = Waiting, x.Child
		f.moment(at, s.Path, "%s runs as %s", s.Label(), x.Child)
	case *entry.ChildEnded:
		s.Output = f.mask.hide(f.secret(s), x.Outputs)
		if x.Status == string(run.Succeeded) {
			f.acted(s, at)
			return
		}
		why := x.Fault
		if why == nil {
			why = &entry.Fault{Kind: string(fault.Cancelled), Message: "the sub-playbook ended " + x.Status, Path: s.Path}
		}
		f.end(s, Failed, why, at)
	}
}

func heldBy(x *entry.StepHeld) string {
	if x.For == "runner" {
		return "the missing runner " + x.Guard
	}
	return "guard " + x.Guard
}

func (f *Fold) condition(s *Step, x *entry.Condition, at time.Time) {
	c := Condition{What: x.What, Value: x.Value, Text: f.mask.text(x.Text)}
	if x.Error != nil {
		c.Error = f.mask.text(x.Error.Message)
	}
	s.remember(c)
	if x.Error != nil && x.What != "until" {
		f.end(s, Failed, x.Error, at)
		return
	}
	switch {
	case x.What == "when" && !x.Value:
		s.Why = "its condition does not hold"
		if s.def != nil && s.def.When != nil {
			s.Why = "when: " + oneLine(s.def.When.Source) + " does not hold"
		}
		f.end(s, Skipped, nil, at)
	case x.What == "break":
		if x.Value && s.parent != nil && s.parent.Loop != nil {
			s.parent.Loop.Broke = true
		}
		f.end(s, Succeeded, nil, at)
	case x.What == "assert" && x.Value:
		f.end(s, Succeeded, nil, at)
	case x.What == "assert":
		f.end(s, Failed, &entry.Fault{Kind: string(fault.Assert), Message: x.Text, Path: s.Path}, at)
	}
}

func oneLine(t string) string { return strings.Join(strings.Fields(t), " ") }

// remember keeps the last result of each condition: polls would pile up otherwise.
func (s *Step) remember(c Condition) {
	for i := range s.Conditions {
		if s.Conditions[i].What == c.What {
			s.Conditions[i] = c
			return
		}
	}
	s.Conditions = append(s.Conditions, c)
}

func (f *Fold) intent(s *Step, x *entry.StepIntent, at time.Time) {
	s.begin(at)
	s.Status, s.Due, s.Held, s.Why = Running, time.Time{}, "", ""
	s.Uses, s.Effect, s.Irreversible, s.Runner, s.Key, s.Guards = x.Action, x.Effect, x.Irreversible, x.Runner, x.Key, x.Guards
	if s.def != nil && s.def.Module != nil {
		s.Uses = s.def.Module.Name
	}
	s.Targets, s.Inputs = f.mask.strings(x.Targets), f.mask.object(x.Inputs)
	s.Count = max(s.Count+1, x.Attempt)
	if len(s.Attempts) >= keepAttempts {
		s.Attempts = append(s.Attempts[:1], s.Attempts[2:]...)
	}
	s.Attempts = append(s.Attempts, Attempt{Number: x.Attempt, Started: at})
	if s.Count == 1 && !run.PlaceOf(s.Path).Helper() {
		f.moment(at, s.Path, "%s begins%s", s.Label(), of(" on ", strings.Join(s.Targets, ", ")))
	}
}

func (f *Fold) result(s *Step, x *entry.StepResult, at time.Time) {
	a := s.attempt(x.Attempt, at)
	a.Ended, a.Outcome, a.Fault, a.Log = at, x.Outcome, f.mask.fault(x.Fault), x.Log
	s.Artifacts = append(s.Artifacts, x.Artifacts...)
	if x.Output != nil || x.Ref != nil {
		s.Output, s.Ref = f.mask.hide(f.secret(s), x.Output), x.Ref
	}
	for _, v := range x.Output {
		d, ok := expr.AsDeferred(v)
		s.Sealed = s.Sealed || ok && !d.Open
	}
	switch x.Outcome {
	case entry.Succeeded:
		f.acted(s, at)
	case entry.InDoubt:
		s.Status, s.Fault = InDoubt, a.Fault
		f.moment(at, s.Path, "%s is in doubt%s", s.Label(), faultText(a.Fault))
		switch run.AfterDoubt(s.body(), s.Effect, x.Attempt) {
		case "retry":
			s.Status = Retrying
		case "fail":
			f.end(s, Failed, x.Fault, at)
		}
	default:
		// Whether another attempt follows is another fact; without one the step has failed.
		s.Fault = a.Fault
		if !f.retries(s, x) {
			f.end(s, Failed, x.Fault, at)
			return
		}
		s.Status = Retrying
	}
}

// secret names the outputs of a step that are not shown.
func (f *Fold) secret(s *Step) []string {
	if s.def == nil {
		return nil
	}
	return f.prog.Secret(s.def)
}

// retries tells whether another attempt follows a known failure: the step's policy says so, as it does to the engine.
func (f *Fold) retries(s *Step, x *entry.StepResult) bool {
	kind := ""
	if x.Fault != nil {
		kind = x.Fault.Kind
	}
	return run.Retries(s.body().Retry, x.Attempt, kind)
}

func faultText(x *entry.Fault) string {
	if x == nil || x.Message == "" {
		return ""
	}
	return ": " + x.Message
}

// attempt finds the attempt, or makes it when its intent was not seen.
func (s *Step) attempt(number int, at time.Time) *Attempt {
	for i := range s.Attempts {
		if s.Attempts[i].Number == number {
			return &s.Attempts[i]
		}
	}
	s.Count = max(s.Count, number)
	s.Attempts = append(s.Attempts, Attempt{Number: number, Started: at})
	return &s.Attempts[len(s.Attempts)-1]
}

// acted is the way on after a success: undo is prepared, then it is verified, then it is over.
func (f *Fold) acted(s *Step, at time.Time) {
	d := s.body()
	switch {
	case d.Undo != nil && s.Undo == nil:
		s.Status = Running
	case d.Verify != nil:
		s.Status = Verifying
	default:
		f.end(s, Succeeded, nil, at)
	}
}

func (f *Fold) verified(s *Step, x *entry.StepVerified, at time.Time) {
	if x.OK {
		s.Verified = "yes"
		f.end(s, Succeeded, nil, at)
		return
	}
	s.Verified = "no"
	s.Fault = f.mask.fault(x.Fault)
	kind := ""
	if x.Fault != nil {
		kind = x.Fault.Kind
	}
	if s.Effect != string(contract.Mutate) && run.Retries(s.body().Retry, s.Count, kind) {
		s.Status = Retrying
		return
	}
	f.end(s, Failed, x.Fault, at)
}

// task handles what people are asked and say.
func (f *Fold) task(s *Step, p entry.Payload, at time.Time) {
	s.begin(at)
	ask := func(t Task, status Status) {
		t.Asked = at
		s.Tasks = append(s.Tasks, t)
		s.Status = status
		f.moment(at, s.Path, "%s asks a person (%s)", s.Label(), t.ID)
	}
	closeTask := func(id, outcome, why string, by []entry.Who) {
		for i := range s.Tasks {
			t := &s.Tasks[i]
			if (t.ID == id || id == "") && t.Closed.IsZero() {
				t.Closed, t.Outcome, t.Why, t.By = at, outcome, f.mask.text(why), by
			}
		}
		f.moment(at, s.Path, "%s: %s%s%s", s.Label(), outcome, of(" by ", names(by)), of(": ", f.mask.text(why)))
	}
	switch x := p.(type) {
	case *entry.ApprovalAsked:
		ask(Task{ID: x.Task, Type: "approval", Expires: x.Expires}, Waiting)
	case *entry.ApprovalVoid:
		closeTask(x.Task, "void", x.Why, nil)
		s.Status = Pending
	case *entry.TaskOpened:
		ask(Task{ID: x.Task, Type: "task", Expires: x.Expires}, Waiting)
	case *entry.TaskEscalated:
		for i := range s.Tasks {
			if s.Tasks[i].ID == x.Task {
				s.Tasks[i].Also = append(s.Tasks[i].Also, x.To...)
			}
		}
		f.moment(at, s.Path, "%s: nobody decided; %s asked too", s.Label(), strings.Join(x.To, ", ")+is(len(x.To)))
	case *entry.TaskDecided:
		closeTask(x.Task, x.Outcome, x.Why, x.By)
		f.decided(s, x, at)
	case *entry.DoubtAsked:
		ask(Task{ID: x.Task, Type: "doubt"}, InDoubt)
	case *entry.DoubtDecided:
		if x.Answer == "unclear" {
			f.moment(at, s.Path, "%s: its probe could not tell", s.Label())
			return
		}
		closeTask("", x.Answer, x.Why, []entry.Who{x.By})
		switch x.Answer {
		case "happened":
			s.Output = f.mask.object(x.Output)
			f.acted(s, at)
		case "not-happened", "again":
			s.Status = Pending
		case "skip":
			s.Why = "skipped by " + x.By.Name
			f.end(s, Skipped, nil, at)
		default: // fail, left
			f.end(s, Failed, s.Fault, at)
		}
	}
}

func (f *Fold) decided(s *Step, x *entry.TaskDecided, at time.Time) {
	switch x.Outcome {
	case "approved", "answered", "done":
	default:
		why := x.Outcome
		switch {
		case x.Outcome == "expired":
			why = "nobody answered in time, which is no"
		case len(x.By) > 0:
			why += " by " + names(x.By)
		}
		if x.Why != "" && x.Outcome != "expired" {
			why += ": " + x.Why
		}
		f.end(s, Failed, &entry.Fault{Kind: string(fault.Rejected), Message: why, Path: s.Path}, at)
		return
	}
	for _, t := range s.Tasks {
		if t.ID == x.Task && t.Type == "approval" {
			s.Status = Pending
			return
		}
	}
	s.Output = f.mask.object(x.Output)
	f.acted(s, at)
}

func is(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

func names(by []entry.Who) string {
	out := make([]string, len(by))
	for i, w := range by {
		out[i] = w.Name
	}
	return strings.Join(out, ", ")
}
