package kill_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// story is what the store holds of a run and of the runs below it, read when no process of tend lives.
type story struct {
	root     string
	status   run.Status // of the root; "" when nothing is stored
	doubt    bool       // a step of it or below is in doubt, and a person is asked
	attempts map[place][]*attempt
	order    []*attempt // by their intents
	last     entry.Kind // of the newest fact that tells where the run is
	answers  map[place][]string
	keys     map[place]map[string]bool
	lates    int // pauses of the root that follow another one
}

// place is a step instance of a run.
type place struct{ run, path string }

func (p place) String() string { return p.run + " " + p.path }

// attempt is an intent and what became of it.
type attempt struct {
	place
	effect string
	key    string
	result *entry.StepResult
}

// read opens the database as a new process would, verifies all of it, and reads the run that counts its effects in out;
// the run's id, when it is not known yet, is put into id. No process may have the store open.
func read(t *testing.T, h *tend.House, out string, id *string) *story {
	t.Helper()
	st := &story{attempts: map[place][]*attempt{}, answers: map[place][]string{}, keys: map[place]map[string]bool{}}
	if _, err := os.Stat(h.Data + "/" + sqlite.File); errors.Is(err, os.ErrNotExist) {
		return st
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: h.Data})
	if err != nil {
		t.Fatalf("open the store after a kill: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, _, damaged, err := s.Verify(t.Context()); err != nil || len(damaged) > 0 {
		t.Errorf("after a kill, what is stored does not verify: %v %v", err, damaged)
	}
	if i, err := s.Identity(t.Context()); err != nil || i.Halted != "" {
		t.Errorf("after a kill, the store is halted: %s %v", i.Halted, err)
	}
	archive := archive.New(s)
	if *id == "" {
		*id = find(t, s, archive, out)
	}
	root := *id
	if root == "" {
		return st
	}
	st.root = root
	var all []entry.Entry
	for todo := []string{root}; len(todo) > 0; todo = todo[1:] {
		state, _, err := archive.Run(t.Context(), todo[0])
		if err != nil {
			t.Errorf("what is stored of %s does not make a run: %v", todo[0], err)
			continue
		}
		if todo[0] == root {
			st.status = state.Status()
		}
		st.doubt = st.doubt || state.Status() == run.InDoubt
		list, err := s.Read(t.Context(), "run/"+todo[0], 1, 10000)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		kids, err := s.Rows(t.Context(), store.Filter{Kind: "run", Parent: todo[0]})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kids.Rows {
			todo = append(todo, k.ID)
		}
	}
	slices.SortStableFunc(all, func(a, b entry.Entry) int { return a.At.Compare(b.At) })
	for _, e := range all {
		st.add(t, e)
	}
	return st
}

// find looks for the run whose parameter names the file.
func find(t *testing.T, s *sqlite.Store, archive *archive.Archive, out string) string {
	t.Helper()
	page, err := s.Rows(t.Context(), store.Filter{Kind: "run", Status: []string{
		string(run.Pending), string(run.Running), string(run.Waiting), string(run.Succeeded), string(run.Failed), string(run.Undoing),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Rows {
		if state, _, err := archive.Run(t.Context(), r.ID); err != nil {
			t.Errorf("what is stored of %s does not make a run: %v", r.ID, err)
		} else if state.Created.Params["out"] == out && r.Parent == "" {
			return r.ID
		}
	}
	return ""
}

func (s *story) add(t *testing.T, e entry.Entry) {
	t.Helper()
	p, err := entry.Decode(e)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(e.Stream, "run/")
	switch x := p.(type) {
	case *entry.StepIntent:
		at := place{id, x.Path}
		if a := s.attempts[at]; len(a) > 0 && a[len(a)-1].result == nil {
			t.Errorf("%s: an attempt began before the one before it had a result", at)
		}
		a := &attempt{place: at, effect: x.Effect, key: x.Key}
		s.attempts[at] = append(s.attempts[at], a)
		s.order = append(s.order, a)
		if s.keys[at] == nil {
			s.keys[at] = map[string]bool{}
		}
		s.keys[at][x.Key] = true
	case *entry.StepResult:
		at := place{id, x.Path}
		a := s.attempts[at]
		if len(a) == 0 || a[len(a)-1].result != nil {
			t.Errorf("%s has a result without an attempt", at)
			return
		}
		a[len(a)-1].result = x
	case *entry.DoubtDecided:
		at := place{id, x.Path}
		s.answers[at] = append(s.answers[at], x.Answer)
	}
	if e.Kind == entry.KindWaitStarted && s.last == entry.KindWaitEnded && id == s.root {
		s.lates++
	}
	switch e.Kind {
	case entry.KindRunCreated, entry.KindRunStarted, entry.KindStepIntent, entry.KindStepResult, entry.KindWaitEnded,
		entry.KindDoubtAsked, entry.KindDoubtDecided:
		s.last = e.Kind
	default: // what shares a commit with one of those, or says nothing about where the steps are
	}
}

// open gives the attempts that have no result.
func (s *story) open() []*attempt {
	var out []*attempt
	for _, a := range s.order {
		if a.result == nil {
			out = append(out, a)
		}
	}
	return out
}

// window tells in which window a process died that left this behind, when it was not inside a commit.
func (s *story) window() window {
	switch {
	case len(s.open()) > 0:
		return between
	case s.last == entry.KindStepResult:
		return after
	case s.last == entry.KindDoubtAsked:
		return parked
	default:
		return before
	}
}

// effect is a line of the file that the scripts write to.
type effect struct {
	place
	key string
}

func effects(t *testing.T, file string) []effect {
	t.Helper()
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []effect
	for l := bufio.NewScanner(f); l.Scan(); {
		w := strings.Fields(l.Text())
		if len(w) != 3 {
			t.Fatalf("an effect that nobody understands: %q", l.Text())
		}
		out = append(out, effect{place{w[0], w[1]}, w[2]})
	}
	return out
}

// judge compares effects with what is stored: by the policy of each step and the answers of people.
func (s *story) judge(done []effect) error {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fmt.Errorf(format, a...)) }
	count := map[place]int{}
	for _, d := range done {
		count[d.place]++
		if !s.keys[d.place][d.key] {
			bad("%s: an effect without an intent that names its key %s", d.place, d.key)
		}
	}
	for at, n := range count {
		if n > len(s.attempts[at]) {
			bad("%s: %d effects of %d attempts", at, n, len(s.attempts[at]))
		}
	}
	for at, list := range s.attempts {
		succeeded, again, anew, failed := 0, 0, 0, 0
		for _, a := range list {
			switch {
			case a.result == nil:
			case a.result.Outcome == entry.Succeeded:
				succeeded++
			case a.result.Outcome == entry.Failed, a.result.Outcome == entry.NotStarted:
				failed++
			case a.result.Outcome == entry.InDoubt:
			}
		}
		for _, x := range s.answers[at] {
			switch x {
			case "again":
				again++
				anew++
			case "not-happened":
				again++
			}
		}
		if succeeded > 1 {
			bad("%s succeeded %d times", at, succeeded)
		}
		if count[at] < succeeded {
			bad("%s succeeded, and its effect is not there", at)
		}
		if keys := len(s.keys[at]); keys > 1+anew {
			bad("%s used %d idempotency keys, and people said %d times to do it again", at, keys, anew)
		}
		if list[0].effect != "mutate" {
			continue
		}
		// What failed had no effect: the scripts fail before it.
		if most := 1 + again + failed; len(list) > most {
			bad("%s: %d attempts of a mutation; failures and people allowed %d", at, len(list), most)
		}
		if count[at] > 1+again {
			bad("%s: %d effects of a mutation; people allowed %d", at, count[at], 1+again)
		}
	}
	return errors.Join(problems...)
}
