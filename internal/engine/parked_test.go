package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// TestResumeTellsWhatFollows: whoever resumes a run looks at it next, and must not read that it waits for what is over.
func TestResumeTellsWhatFollows(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	first := sits(t, disk)
	runID := first.run("steps: [{uses: approve, with: {message: go on?, within: 10m}}]")
	first.want("status", first.status(runID), "waiting")
	d := sits(t, disk)
	d.now = noon.Add(time.Hour)
	req := d.command(engine.Resume, runID)
	if _, told := d.replies[req]; told {
		t.Error("the answer came before what follows was durable")
	}
	d.write()
	if r, told := d.replies[req]; !told || r.Err != nil {
		t.Errorf("the answer is %v (%v)", r, told)
	}
	d.want("status", d.status(runID), "failed")
}

// TestRowTellsWhatIsWaitedFor: also after somebody answered who does not move the run.
func TestRowTellsWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	first := sits(t, disk)
	runID := first.run("steps: [{uses: approve, with: {message: go on?, count: 2}}]")
	d := sits(t, disk)
	d.vote(runID, "approve", "bob")
	d.write()
	p, err := d.store.Rows(t.Context(), store.Filter{Kind: "run", ID: runID, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	var row engine.RunRow
	if err := json.Unmarshal(p.Rows[0].Body, &row); err != nil {
		t.Fatal(err)
	}
	if len(row.Waits) != 1 || row.Waits[0].For != "task" || !p.Rows[0].Due.Equal(noon.Add(time.Hour)) {
		t.Errorf("it waits for %+v until %s", row.Waits, p.Rows[0].Due)
	}
}

// TestHaltedTakesNoCommand: nothing that makes a run go on is taken before a person has looked.
func TestHaltedTakesNoCommand(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	first := sits(t, disk)
	runID := first.run("steps: [{uses: approve, with: {message: go on?}}]")
	d := sits(t, disk, func(c *engine.MachineConfig) { c.Halted = "restored" })
	for _, v := range []engine.Verb{engine.Cancel, engine.Pause, engine.Skip, engine.Resume, engine.Params} {
		req := d.command(v, runID)
		d.write()
		if r := d.replies[req]; !fault.Is(r.Err, fault.Refused) {
			t.Errorf("%s: %v", v, r.Err)
		}
	}
	d.want("status", d.status(runID), "waiting")
}
