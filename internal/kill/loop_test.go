package kill_test

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// mostKills bounds how often one run is killed: then it is let go on to its end.
const mostKills = 10

// loop runs one playbook to its end, over as many processes as it takes.
type loop struct {
	t      *testing.T
	house  *tend.House
	tally  *tally
	random *rand.Rand
	out    string // where effects are counted

	id     string // of the run, once it was printed or found
	story  *story
	done   []effect // counted so far
	had    int      // of them before the newest process
	killed int
}

var (
	runLine  = regexp.MustCompile(`^run (run_[0-9a-z]{20}) of `)
	okLine   = regexp.MustCompile(`^ *ok +\S+ \(shell\)`)
	lateLine = regexp.MustCompile(`^ *wait +late\S* \(wait\)`)
)

func (l *loop) run(playbook string) {
	t := l.t
	l.story = &story{}
	args := []string{"run", playbook + ".yaml", "-p", "out=" + l.out}
	for !t.Failed() {
		w, more := l.tally.next(l.random)
		aim := more && l.killed < mostKills
		v := spawn(t, l.house, args...)
		aimed := false
		if aim {
			aimed = l.shoot(v, w)
		}
		killed := v.end()
		tend.Calm(t, v.output()+v.errs.String())
		l.look(v)
		switch {
		case killed:
			l.killed++
			l.count(aimed)
			l.untouched()
		case l.id == "":
			t.Fatalf("%v ended with %d and began nothing\n%s%s", args, v.code(), v.output(), v.errs.String())
		default:
			l.ended(v, args)
		}
		if l.story.status.Ended() {
			l.tally.add(l.tally.runs, playbook+" "+string(l.story.status))
			return
		}
		if l.id != "" {
			args = l.next()
		}
	}
}

// shoot kills the process when it thinks that it is in the window. It tells whether the process was seen inside a commit.
func (l *loop) shoot(v *victim, w window) (inside bool) {
	soon := func(most time.Duration) bool { return v.pause(time.Duration(l.random.Int64N(int64(most)))) }
	switch w {
	case before:
		if l.id == "" && l.random.IntN(3) > 0 {
			if soon(30 * time.Millisecond) {
				v.kill() // it opens the store, or writes the first entries
			}
			return false
		}
		if v.untilPrinted(lateLine, l.story.lates+1) && soon(10*time.Millisecond) {
			v.kill()
		}
	case between:
		file, size := l.out+".marks", length(l.out+".marks")
		if l.random.IntN(2) == 0 {
			file, size = l.out, length(l.out)
		}
		if v.untilGrown(file, size) && soon(6*time.Millisecond) {
			v.kill()
		}
	case after:
		if v.untilPrinted(okLine, l.recorded()+1) {
			v.kill()
		}
	default:
		if !soon(60*time.Millisecond) || !killInside(v.cmd.Process.Pid, v.over) {
			return false
		}
		return true
	}
	return false
}

// recorded counts the successes of steps that a new process shows again.
func (l *loop) recorded() int {
	n := 0
	for _, a := range l.story.order {
		if a.run == l.id && a.result != nil && a.result.Outcome == entry.Succeeded {
			n++
		}
	}
	for at, answers := range l.story.answers {
		for _, a := range answers {
			if at.run == l.id && a == "happened" {
				n++
			}
		}
	}
	return n
}

// look waits until nothing of the process is left, then reads the store. What it had printed must be there.
func (l *loop) look(v *victim) {
	t := l.t
	for deadline := time.Now().Add(20 * time.Second); ; {
		left := survivors("OUT=" + l.out + "\x00")
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes %v of a step outlive the process that was killed", left)
		}
		timer := time.NewTimer(5 * time.Millisecond)
		<-timer.C
	}
	printed := ""
	for _, line := range v.lines {
		if m := runLine.FindStringSubmatch(line); m != nil {
			printed = m[1]
		}
	}
	if printed != "" && l.id != "" && printed != l.id {
		t.Fatalf("it shows run %s, not %s", printed, l.id)
	}
	if l.id == "" {
		l.id = printed
	}
	before := l.story
	l.story = read(t, l.house, l.out, &l.id)
	if printed != "" && l.story.status == "" {
		t.Errorf("run %s was shown and is lost", printed)
	}
	l.acknowledged(v, before)
	l.had, l.done = len(l.done), effects(t, l.out)
	if err := l.story.judge(l.done); err != nil {
		t.Errorf("after a process ended: %v", err)
	}
}

// acknowledged: a step whose success was shown has its result.
func (l *loop) acknowledged(v *victim, before *story) {
	if shown, _ := v.printed(okLine); shown > l.recorded() {
		l.t.Errorf("%d steps were shown as succeeded, %d are stored\n%s", shown, l.recorded(), v.output())
	}
	if len(l.story.order) < len(before.order) {
		l.t.Errorf("there were %d attempts before, and %d now", len(before.order), len(l.story.order))
	}
}

// count tells which window the kill hit.
func (l *loop) count(inCommit bool) {
	w := l.story.window()
	there := ""
	if inCommit {
		w = inside
	}
	if w == between {
		there = "not there"
		for _, e := range l.done[l.had:] {
			if slices.ContainsFunc(l.story.open(), func(a *attempt) bool { return a.place == e.place }) {
				there = "there"
			}
		}
	}
	l.tally.hit(w, there)
}

// untouched: another run of another playbook shows the killed one as interrupted and leaves it alone.
func (l *loop) untouched() {
	t := l.t
	if r := l.house.Run("run", "bystander.yaml"); r.Code != 0 {
		t.Fatalf("after a kill nothing runs: %s", r)
	}
	if l.id == "" {
		return
	}
	if got := effects(t, l.out); len(got) != len(l.done) {
		t.Errorf("another run made effects: %v, then %v", l.done, got)
	}
	got := l.status()
	switch {
	case l.story.status.Ended():
		if got != l.story.status {
			t.Errorf("it ended %s and shows %s", l.story.status, got)
		}
	case l.story.doubt && (got == run.InDoubt || got == run.Waiting):
	case got != run.Interrupted:
		t.Errorf("its process was killed, and it shows %s (stored was %s)", got, l.story.status)
	}
}

func (l *loop) status() run.Status {
	var v struct {
		Status run.Status `json:"status"`
	}
	r := l.house.Run("runs", "show", l.id, "-o", "json")
	if err := json.Unmarshal([]byte(r.Out), &v); err != nil || r.Code != 0 {
		l.t.Fatalf("%v: %s", err, r)
	}
	return v.Status
}

// ended: a process that was left alone says how the run stands.
func (l *loop) ended(v *victim, args []string) {
	want := map[run.Status]int{run.Succeeded: 0, run.Failed: 1}[l.story.status]
	if !l.story.status.Ended() {
		want = 7
		if !l.story.doubt {
			l.t.Errorf("%v left the run %s\n%s%s", args, l.story.status, v.output(), v.errs.String())
		}
	}
	if v.code() != want {
		l.t.Errorf("%v ended with %d, not %d: the run is %s\n%s%s", args, v.code(), want, l.story.status, v.output(), v.errs.String())
	}
}

// next gives the command that goes on with the run: an answer when a person is asked, else resume.
func (l *loop) next() []string {
	if !l.story.doubt {
		return []string{"runs", "resume", l.id}
	}
	var tasks []struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Run  string `json:"run"`
	}
	r := l.house.Run("inbox", "-o", "json")
	if err := json.Unmarshal([]byte(r.Out), &tasks); err != nil || r.Code != 0 {
		l.t.Fatalf("%v: %s", err, r)
	}
	if len(tasks) == 0 {
		l.t.Fatalf("a step is in doubt and nobody is asked: %s", r)
	}
	answers := []string{"happened", "not-happened", "again"}
	a := answers[l.random.IntN(len(answers))]
	l.tally.add(l.tally.answers, a)
	return []string{"inbox", "answer", tasks[0].ID, a, "--resume", "--why", "the test looked"}
}
