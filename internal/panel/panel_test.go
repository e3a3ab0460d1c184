package panel_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/panel"
	"github.com/tendhq/tend/internal/value"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func view() *history.View {
	return &history.View{
		ID: "run_1", Name: "reclaim", Status: "running", Created: noon, Started: noon,
		Steps: []*history.Step{
			{Path: "steps[0]", Kind: "action", Title: "Measure", Uses: "shell", Status: history.Succeeded, Started: noon, Ended: noon.Add(time.Second)},
			{Path: "steps[1]", Kind: "foreach", Status: history.Running, Started: noon, Loop: &history.Loop{Count: 3, Succeeded: 1, Failed: 1}, Steps: []*history.Step{
				{Path: `steps[1].foreach["a"]`, Kind: "iteration", Status: history.Failed},
			}},
			{
				Path: "steps[2]", Kind: "action", Title: "Move", Status: history.Waiting, Effect: "mutate", Targets: []string{"path:/a", "path:/b"},
				Tasks: []history.Task{{ID: "task_0", Closed: noon}, {ID: "task_1"}}, Undo: &history.Undo{},
			},
		},
		Moments: []history.Moment{{Seq: 1, At: noon, Text: "started"}},
	}
}

func TestAGlance(t *testing.T) {
	t.Parallel()
	r := panel.Of(view(), panel.About{Project: "shop", Metadata: value.Object{"commit": "abc", "author": "Ada"}, Seq: 7})
	if r.Head.Commit != "abc" || r.Head.Author != "Ada" || r.Head.Project != "shop" || r.Head.Seq != 7 || !r.Head.Undoable || r.Head.Explain == "" {
		t.Errorf("%+v", r.Head)
	}
	var got []string
	for _, s := range r.Steps {
		got = append(got, fmt.Sprintf("%d %s < %s @ %s", s.Depth, s.Path, s.Parent, s.Place))
	}
	want := []string{"0 steps[0] <  @ steps[0]", "0 steps[1] <  @ steps[1]", `1 steps[1].foreach["a"] < steps[1] @ steps[1].foreach`, "0 steps[2] <  @ steps[2]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	loop, move := r.Steps[1], r.Steps[3]
	if loop.Count != 3 || loop.Done != 2 || loop.Failed != 1 || move.Task != "task_1" || move.Target != "path:/a" || move.Targets != 2 {
		t.Errorf("%+v %+v", loop, move)
	}
}

func TestHostileTextsAreShort(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("<script>\u202e\n", 100_000)
	v := view()
	v.Name = big
	v.Steps[0].Title, v.Steps[0].Why, v.Steps[0].Targets, v.Steps[0].Fault = big, big, []string{big}, &entry.Fault{Message: big}
	s := panel.Of(v, panel.About{}).Steps[0]
	for _, text := range []string{s.Label, s.Why, s.Target, s.Fault} {
		if len(text) > 8000 || strings.Contains(text, "\n") {
			t.Errorf("%d bytes: %.80q", len(text), text)
		}
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	a, b := panel.Of(view(), panel.About{Seq: 1}), panel.Of(view(), panel.About{Seq: 2})
	if d := panel.Since(&a, &b); d != nil {
		t.Errorf("%+v", d)
	}
	v := view()
	v.Steps[2].Status = history.Succeeded
	v.Moments = append(v.Moments, history.Moment{Seq: 2, Text: "approved"})
	c := panel.Of(v, panel.About{Seq: 3})
	d := panel.Since(&b, &c)
	if d == nil || len(d.Steps) != 1 || d.Steps[0].Path != "steps[2]" || len(d.Moments) != 1 || len(d.Gone) != 0 {
		t.Errorf("%+v", d)
	}
}

// TestADeltaIsEnough: whoever applies what changed knows what is, whatever came, went and changed.
func TestADeltaIsEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) panel.Run {
			v := &history.View{ID: "run_1", Status: "running"}
			for i := range 8 {
				if !rapid.Bool().Draw(t, fmt.Sprintf("%s%d", name, i)) {
					continue
				}
				v.Steps = append(v.Steps, &history.Step{
					Path: fmt.Sprintf("steps[%d]", i), Kind: "action",
					Status: rapid.SampledFrom([]history.Status{history.Pending, history.Running, history.Failed}).Draw(t, "status"),
				})
			}
			return panel.Of(v, panel.About{})
		}
		a, b := draw("a"), draw("b")
		got := a.Steps
		if d := panel.Since(&a, &b); d != nil {
			got = apply(t, a.Steps, d)
		}
		strip := func(in []panel.Step) []panel.Step {
			out := append([]panel.Step{}, in...)
			for i := range out {
				out[i].After = ""
			}
			return out
		}
		if diff := cmp.Diff(strip(b.Steps), strip(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// apply does what the page does (web/src/pages/run/model.ts).
func apply(t *rapid.T, steps []panel.Step, d *panel.Delta) []panel.Step {
	var out []panel.Step
	for _, s := range steps {
		gone := false
		for _, p := range d.Gone {
			gone = gone || p == s.Path
		}
		if !gone {
			out = append(out, s)
		}
	}
next:
	for _, s := range d.Steps {
		for i := range out {
			if out[i].Path == s.Path {
				out[i] = s
				continue next
			}
		}
		at := 0
		for i := range out {
			if s.After != "" && out[i].Path == s.After {
				at = i + 1
			}
		}
		if s.After != "" && at == 0 {
			t.Fatalf("%s stands after %s, which is not there", s.Path, s.After)
		}
		out = append(out[:at:at], append([]panel.Step{s}, out[at:]...)...)
	}
	return out
}

func TestADetailHoldsNoOtherSteps(t *testing.T) {
	t.Parallel()
	v := view()
	v.Steps[1].Attempts = []history.Attempt{{Number: 1}}
	d := panel.Detail(v.Steps[1])
	d.Attempts[0].Number, d.Loop.Count = 9, 9
	if d.Steps != nil || v.Steps[1].Attempts[0].Number != 1 || v.Steps[1].Loop.Count != 3 {
		t.Error("a detail is not its own")
	}
	if b, err := json.Marshal(d); err != nil || strings.Contains(string(b), "iteration") {
		t.Errorf("%s %v", b, err)
	}
}
