package history

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
)

// Explain says in a sentence or two why the run is where it is, and what would move it, with the command to type.
func Explain(v *View) string { return teller{v, true}.tell() }

// Why says the same where there are other means than commands: on a page.
func Why(v *View) string { return strings.TrimSpace(teller{v, false}.tell()) }

// teller tells of a run, with or without commands.
type teller struct {
	*View
	commands bool
}

// say gives a text with a command to type.
func (t teller) say(format string, a ...any) string {
	if !t.commands {
		return ""
	}
	return fmt.Sprintf(format, a...)
}

func (t teller) tell() string {
	v := t.View
	head := "Run " + v.ID
	if v.Name != "" {
		head += " of " + v.Name
	}
	switch run.Status(v.Status) {
	case run.Succeeded:
		return head + " succeeded" + since(" at ", v.Ended) + "." + doubts(v) + changed(v)
	case run.Failed, run.Cancelled:
		return head + " " + v.ended() + doubts(v) + t.afterEnd()
	case run.Quarantined:
		return head + " is quarantined and will not be touched: " + message(v.Fault) + "." +
			t.say(" `tend runs verify %s` names the place; a backup from before may hold it whole.", v.ID) + t.held()
	case run.Interrupted:
		if v.Stepping {
			return head + " is interrupted, and stepped through: " + strings.TrimSuffix(v.interruption(), ".") + ". " + v.flight() +
				t.say("`tend runs step %s` lets the next step begin, `tend runs step %s --all` all of them.", v.ID, v.ID)
		}
		return head + " is interrupted: " + strings.TrimSuffix(v.interruption(), ".") + ". " + v.flight() + t.say("`tend runs resume %s` goes on.", v.ID)
	case run.Paused:
		by, why := "a person", ""
		if v.paused != nil {
			by, why = v.paused.By.Name, of(": ", v.paused.Why)
		}
		return head + " is paused by " + by + why + "; steps that act may finish, no other begins." + t.say(" `tend runs resume %s` goes on.", v.ID)
	case run.Cancelling:
		return head + " is being cancelled" + of(" by ", v.cancelledBy()) + ": " + v.acting("what acts is stopped, then it cleans up") + "."
	case run.Pending:
		return head + " has not begun: no process drives it yet." + t.say(" `tend runs resume %s` begins it.", v.ID)
	case run.InDoubt, run.Waiting, run.Undoing, run.Running:
	}
	return head + " " + t.moving()
}

// held tells what a quarantined run keeps from others.
func (t teller) held() string {
	v := t.View
	switch {
	case len(v.Held) > 0:
		return fmt.Sprintf(" It holds %s, and nobody gets that before a person has looked at what it did", locks(v.Held)) +
			cmp.Or(t.say(": `tend runs release %s --why …` frees it.", v.ID), ".")
	case v.Released != nil:
		return fmt.Sprintf(" What it held was released by %s at %s: %s.", v.Released.By.Name, clock(v.Released.At), strings.TrimSuffix(v.Released.Why, "."))
	}
	return ""
}

func locks(keys []string) string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = strconv.Quote(k)
	}
	if len(all) == 1 {
		return "the lock " + all[0]
	}
	return "the locks " + strings.Join(all, ", ")
}

func (t teller) moving() string {
	v := t.View
	var said []string
	for _, w := range v.Waits {
		if len(said) == 3 {
			said = append(said, fmt.Sprintf("It waits for %d more things", len(v.Waits)-3)+cmp.Or(t.say(": `tend runs show %s`.", v.ID), "."))
			break
		}
		s := strings.TrimSpace(t.wait(w))
		if len(said) > 0 {
			s = "It also " + s
		}
		said = append(said, s)
	}
	if len(said) > 0 {
		return strings.Join(said, " ")
	}
	what := "is running"
	if v.Status == string(run.Undoing) {
		what = "is undoing what it did"
	}
	return what + ": " + v.acting("the next step is about to begin") + "." + t.say(" `tend runs watch %s` shows it live.", v.ID)
}

// acting names what acts now.
func (v *View) acting(otherwise string) string {
	var live []string
	v.Walk(func(s *Step, _ int) {
		if s.Status == Running && len(s.Attempts) > 0 && s.Attempts[len(s.Attempts)-1].Ended.IsZero() {
			text := s.Label() + " acts since " + clock(s.Attempts[len(s.Attempts)-1].Started)
			if s.Count > 1 {
				text += fmt.Sprintf(" (attempt %d)", s.Count)
			}
			live = append(live, text)
		}
	})
	if len(live) == 0 {
		return otherwise
	}
	if len(live) > 3 {
		live = append(live[:3], fmt.Sprintf("%d more", len(live)-3))
	}
	return strings.Join(live, ", ")
}

func (t teller) wait(w Wait) string {
	v := t.View
	who := v.label(w.Path)
	switch w.For {
	case "task":
		return fmt.Sprintf("waits for a person to answer %s%s; no answer is no.", who, since(" until ", w.Until)) +
			t.say(" `tend inbox show %s` shows what is asked and how to answer.", w.On)
	case "doubt":
		return fmt.Sprintf("is in doubt at %s: %s. Find out, then say it", who, strings.TrimSuffix(w.Why, ".")) +
			t.say(" with `tend inbox answer %s happened|not-happened|again|fail|skip`", w.On) + "."
	case "event":
		key := "KEY"
		if s := v.find(w.Path); s != nil && s.Wait != nil {
			key = shellWord(s.Wait.Key)
		}
		return fmt.Sprintf("waits at %s%s: %s.", who, since(" until ", w.Until), strings.TrimSuffix(w.Why, ".")) +
			t.say(" `tend events send %s --key %s` brings it.", shellWord(w.On), key)
	case "time":
		return fmt.Sprintf("waits at %s%s; time moves it while a process drives it.", who, since(" until ", w.Until))
	case "retry":
		return fmt.Sprintf("tries %s again%s%s.", who, since(" at ", w.Until), v.lastFault(w.Path))
	case "guard":
		return fmt.Sprintf("is held at %s by guard %s%s: %s.", who, w.On, since(" until ", w.Until), strings.TrimSuffix(w.Why, "."))
	case "runner":
		return fmt.Sprintf("is held at %s: no runner is called %q here. Name it under `runners:` in the configuration file", who, w.On) +
			t.say(", then `tend runs resume %s`", v.ID) + "."
	case "lock":
		if w.Holder == "" {
			return fmt.Sprintf("waits at %s for the lock %q, which is free: it takes it when a process drives it", who, w.On) + t.say(", `tend runs resume %s`", v.ID) + "."
		}
		return fmt.Sprintf("waits at %s for the lock %q, which run %s holds", who, w.On, w.Holder) + t.say(": `tend runs explain %s` says what would move that", w.Holder) + "."
	case "child":
		return fmt.Sprintf("waits at %s for its sub-playbook", who) + cmp.Or(t.say(": `tend runs explain %s`.", w.On), " "+w.On+".")
	case "permit":
		return fmt.Sprintf("is stepped through and waits before %s.", who) + t.say(" `tend runs step %s` lets it begin, `tend runs step %s --all` ends the stepping.", v.ID, v.ID)
	case "pause":
		return fmt.Sprintf("is paused%s.", of(": ", w.Why)) + t.say(" `tend runs resume %s` goes on.", v.ID)
	case "resume":
		return fmt.Sprintf("is interrupted: %s.", strings.TrimSuffix(w.Why, ".")) + t.say(" `tend runs resume %s` goes on.", v.ID)
	default:
		return fmt.Sprintf("waits at %s: %s.", who, strings.TrimSuffix(w.Why, "."))
	}
}

// shellWord writes a text so that a shell reads it as one word.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (v *View) lastFault(path string) string {
	s := v.find(path)
	if s == nil || s.Fault == nil {
		return ""
	}
	return ", because it failed: " + strings.TrimSuffix(s.Fault.Message, ".")
}

func (v *View) find(path string) *Step {
	var found *Step
	v.Walk(func(s *Step, _ int) {
		if s.Path == path {
			found = s
		}
	})
	return found
}

func (v *View) label(path string) string {
	if path == "" {
		return "the playbook"
	}
	if s := v.find(path); s != nil {
		return s.Label()
	}
	return path
}

func (v *View) ended() string {
	var b strings.Builder
	if run.Status(v.Status) == run.Cancelled {
		b.WriteString("was ")
	}
	b.WriteString(v.Status)
	b.WriteString(since(" at ", v.Ended))
	if v.Fault != nil {
		if v.Fault.Path != "" {
			b.WriteString(": " + v.label(v.Fault.Path) + " ended with: " + strings.TrimSuffix(v.Fault.Message, "."))
		} else {
			b.WriteString(": " + strings.TrimSuffix(v.Fault.Message, "."))
		}
	}
	switch v.Undone {
	case "fully":
		b.WriteString("; what it had changed was undone")
	case "partly":
		b.WriteString("; what it had changed was undone only partly")
	}
	b.WriteString(".")
	return b.String()
}

func (t teller) afterEnd() string {
	v := t.View
	s := t.say(" `tend runs retry %s` tries again from there as a new run", v.ID)
	if v.Cause.Parent != "" {
		s = " It was called by " + v.Cause.Parent + ", whose retry carries it on" + t.say(": `tend runs explain %s`", v.Cause.Parent)
	}
	restorable := false
	v.Walk(func(s *Step, _ int) {
		restorable = restorable || s.Undo != nil && s.Undo.None == "" && s.Undo.Fault == nil && !s.Undo.Done
	})
	if restorable {
		s += t.say(", `tend runs rollback %s` undoes what it changed", v.ID)
	}
	if s == "" {
		return ""
	}
	return s + "."
}

func doubts(v *View) string {
	if len(v.Doubts) == 0 {
		return ""
	}
	all := make([]string, len(v.Doubts))
	for i, d := range v.Doubts {
		all[i] = v.label(d)
	}
	return " Nobody knows whether this took effect: " + strings.Join(all, ", ") + "."
}

func changed(v *View) string {
	if c := v.Changed(); len(c) > 0 {
		if len(c) > 5 {
			c = append(c[:5:5], fmt.Sprintf("%d more", len(c)-5))
		}
		return " It changed " + strings.Join(c, ", ") + "."
	}
	return ""
}

func (v *View) interruption() string {
	for _, w := range v.Waits {
		if w.For == "resume" && w.Why != "" {
			return w.Why
		}
	}
	return cmp.Or(v.interrupted, "the process that drove it ended")
}

// flight warns of what was in flight when a run was interrupted.
func (v *View) flight() string {
	var at []string
	v.Walk(func(s *Step, _ int) {
		if n := len(s.Attempts); n > 0 && s.Status == Running && s.Effect != "read" && s.Attempts[n-1].Ended.IsZero() {
			at = append(at, s.Label())
		}
	})
	if len(at) == 0 {
		return ""
	}
	return "Nobody knows whether this took effect: " + strings.Join(at, ", ") + ". "
}

func (v *View) cancelledBy() string {
	if v.cancel == nil {
		return ""
	}
	if v.cancel.Why != "" {
		return v.cancel.By.Name + " (" + v.cancel.Why + ")"
	}
	return v.cancel.By.Name
}

func message(f *entry.Fault) string {
	if f == nil {
		return "nobody said why"
	}
	return strings.TrimSuffix(f.Message, ".")
}

func since(before string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return before + clock(t)
}

// clock prints a time so that it is understood in every time zone.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
