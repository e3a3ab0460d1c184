package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

const pair = "steps: [{id: a, uses: probe, with: {say: db}}, {uses: probe, with: {say: web}}]"

// govern makes rules live.
func (d *desk) govern(r guard.Rules) {
	d.t.Helper()
	d.feed(engine.Governed{Rules: &r})
	d.write()
}

// facts gives the payloads of a kind from a run's stream.
func payloads[T entry.Payload](d *desk, runID string) []T {
	d.t.Helper()
	es, err := d.store.Read(d.t.Context(), "run/"+runID, 1, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	var out []T
	for _, e := range es {
		p, err := entry.Decode(e)
		if err != nil {
			d.t.Fatal(err)
		}
		if x, ok := p.(T); ok {
			out = append(out, x)
		}
	}
	return out
}

func TestObserve(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	d.govern(guard.Rules{Modes: []guard.Setting{{Mode: guard.ModeObserve}}})
	id := d.run(pair)
	d.want("acts", d.did(), "")
	d.want("status", d.status(id), "succeeded")
	would := payloads[*entry.StepSkipped](d, id)
	if len(would) != 2 || would[0].Would == nil || would[0].Would.Action != "probe" || len(would[0].Would.Targets) != 1 || !strings.Contains(would[0].Why, "observe") {
		t.Fatalf("%+v", would)
	}
	if n := d.count(id, entry.KindStepIntent); n != 0 {
		t.Errorf("%d intents", n)
	}
}

func TestAskMode(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	d.govern(guard.Rules{Version: "v1", Modes: []guard.Setting{{Mode: guard.ModeAsk}}})
	id := d.run(pair)
	d.want("acts", d.did(), "")
	d.want("status", d.status(id), "waiting")
	asked := payloads[*entry.ApprovalAsked](d, id)
	if len(asked) != 1 {
		t.Fatalf("%d questions", len(asked))
	}
	d.voteOn(id, asked[0].Task, "approve", "ann")
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
	if i := payloads[*entry.StepIntent](d, id)[0]; i.Hash != asked[0].Hash || i.Rules != "v1" {
		t.Errorf("%+v", i)
	}
	d.acted(d.acts[0], entry.Succeeded)
	d.write()
	// The next one is another question; nobody answers: no.
	asked = payloads[*entry.ApprovalAsked](d, id)
	if len(asked) != 2 || asked[0].Task == asked[1].Task {
		t.Fatalf("%+v", asked)
	}
	d.now = d.now.Add(61 * time.Minute)
	d.feed(engine.Tick{})
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
	d.want("status", d.status(id), "failed")
}

// TestHaltStopsWhatHasNotBegun: from the moment on that the machine knows it, no effect begins, and they go on when it ends.
func TestHaltStopsWhatHasNotBegun(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	auto := []guard.Setting{{Mode: guard.ModeAuto}}
	d.govern(guard.Rules{Modes: auto})
	id := d.run(pair)
	d.want("acts", d.did(), "steps[0]#1")
	d.govern(guard.Rules{Modes: auto, Halts: []guard.Halted{{By: "ann", Why: "wrong disks", At: noon}}})
	d.acted(d.acts[0], entry.Succeeded) // what is in flight ends as it ends
	d.write()
	other := d.run(pair)
	d.want("acts", d.did(), "steps[0]#1")
	d.want("status", d.status(id), "waiting")
	d.want("another", d.status(other), "waiting")
	held := payloads[*entry.StepHeld](d, id)
	if len(held) != 1 || held[0].Guard != "halt" || !strings.Contains(held[0].Why, "wrong disks") {
		t.Fatalf("%+v", held)
	}
	// Another look changes nothing, and writes nothing.
	n := len(held)
	d.feed(engine.Tick{})
	d.write()
	if got := len(payloads[*entry.StepHeld](d, id)); got != n {
		t.Errorf("%d entries for nothing", got-n)
	}
	d.govern(guard.Rules{Modes: auto})
	d.feed(engine.Reconsider{Run: id}) // runs that are parked are told one by one
	d.feed(engine.Reconsider{Run: other})
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[1]#1 steps[0]#1")
}

// TestRulesAreLive: a guard that came after the run began holds it.
func TestRulesAreLive(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	auto := []guard.Setting{{Mode: guard.ModeAuto}}
	d.govern(guard.Rules{Modes: auto})
	id := d.run(pair)
	d.want("acts", d.did(), "steps[0]#1")
	d.govern(guard.Rules{Modes: auto, Guards: map[string][]guard.Spec{"default": {{Name: "never", Then: "deny", Rate: &guard.Rate{Limit: 1, Within: value.Duration(time.Hour)}}, {Name: "one", Then: "deny", Spread: &guard.Spread{Limit: 1, Within: value.Duration(time.Hour)}}}}})
	d.acted(d.acts[0], entry.Succeeded)
	d.write()
	d.want("acts", d.did(), "steps[0]#1 steps[1]#1") // the first one that these count
	d.acted(d.acts[1], entry.Succeeded)
	d.write()
	d.want("status", d.status(id), "succeeded")
	third := d.run(pair)
	d.want("status", d.status(third), "failed")
	d.want("acts", d.did(), "steps[0]#1 steps[1]#1")
}

// TestOldNews: before a mutation it is asked whether the alert still fires. When it does not, nothing acts, and nothing is
// undone: the run is cancelled.
func TestOldNews(t *testing.T) {
	t.Parallel()
	for _, still := range []bool{true, false} {
		d := sits(t, new(memory.Disk), func(c *engine.MachineConfig) { c.Confirm = true })
		d.gone = !still
		id, _ := d.begin(compile(t, d.set, pair), func(b *engine.Begin) { b.Start.Cause.Event = "evt_1" })
		d.write()
		if !still {
			d.want("acts", d.did(), "")
			d.want("status", d.status(id), "cancelled")
			continue
		}
		d.want("asked", fmt.Sprint(d.confirmed), "1")
		d.want("acts", d.did(), "steps[0]#1")
		d.acted(d.acts[0], entry.Succeeded)
		d.write()
		d.want("asked at once again", fmt.Sprint(d.confirmed), "1")
		d.want("acts", d.did(), "steps[0]#1 steps[1]#1")
		// After a while it is asked again: the alert is over by now.
		d.gone = true
		late, _ := d.begin(compile(t, d.set, "steps: [{wait: 10m}, {uses: probe, with: {say: db}}]"), func(b *engine.Begin) { b.Start.Cause.Event = "evt_1" })
		d.write()
		d.now = d.now.Add(11 * time.Minute)
		d.feed(engine.Tick{})
		d.write()
		d.want("late", d.status(late), "cancelled")
		d.want("acts", d.did(), "steps[0]#1 steps[1]#1")
	}
	// A run that a person started asks nobody.
	d := sits(t, new(memory.Disk), func(c *engine.MachineConfig) { c.Confirm = true })
	d.run(pair)
	d.want("asked", fmt.Sprint(d.confirmed), "0")
	d.want("acts", d.did(), "steps[0]#1")
}

// TestRulesAreAwaited: after a restart nothing begins before it is known what is halted.
func TestRulesAreAwaited(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk), func(c *engine.MachineConfig) { c.Governed = true })
	id := d.run(pair)
	d.want("acts", d.did(), "")
	d.want("status", d.status(id), "waiting")
	halted := guard.Rules{Modes: []guard.Setting{{Mode: guard.ModeAuto}}, Halts: []guard.Halted{{By: "ann", At: noon}}}
	d.govern(halted)
	d.feed(engine.Reconsider{Run: id})
	d.write()
	d.want("acts", d.did(), "")
	halted.Halts = nil
	d.govern(halted)
	d.feed(engine.Reconsider{Run: id})
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
}

// TestHaltedWhileTheIntentIsWritten: the commit of an intent can take long; what is halted meanwhile does not begin.
func TestHaltedWhileTheIntentIsWritten(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	auto := guard.Rules{Modes: []guard.Setting{{Mode: guard.ModeAuto}}}
	d.govern(auto)
	id, _ := d.begin(compile(t, d.set, pair)) // its commit is on its way
	halted := auto
	halted.Halts = []guard.Halted{{By: "ann", At: noon}}
	d.feed(engine.Governed{Rules: &halted})
	d.write()
	d.want("acts", d.did(), "")
	d.want("status", d.status(id), "waiting")
	d.govern(auto)
	d.feed(engine.Reconsider{Run: id})
	d.write()
	d.want("acts", d.did(), "steps[0]#2")
	d.acted(d.acts[0], entry.Succeeded)
	d.write()
	d.want("acts", d.did(), "steps[0]#2 steps[1]#1")
}

// TestStoppedBeforeGoverned: halts count before the rules that they are part of, and older rules that come late do not take
// them back.
func TestStoppedBeforeGoverned(t *testing.T) {
	t.Parallel()
	d := sits(t, new(memory.Disk))
	auto := guard.Rules{Serial: 1, Modes: []guard.Setting{{Mode: guard.ModeAuto}}}
	d.govern(auto)
	halted := auto
	halted.Serial, halted.Halts = 3, []guard.Halted{{By: "ann", At: noon}}
	d.feed(engine.Stopped{Rules: &halted})
	late := auto
	late.Serial = 2
	d.govern(late)
	id := d.run(pair)
	d.want("acts", d.did(), "")
	d.want("status", d.status(id), "waiting")
	auto.Serial = 4
	d.govern(auto)
	d.feed(engine.Reconsider{Run: id})
	d.write()
	d.want("acts", d.did(), "steps[0]#1")
}
