package insight_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

// TestSeries: what began in a part of the time counts in it and nowhere else, over the days on which clocks change.
func TestSeries(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	at := func(text string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	r := &reader{Store: memory.New(), programs: map[byte]contract.Metadata{1: {Owner: "shop"}}}
	n := 0
	ran := func(when, status string, facts ...entry.Payload) {
		n++
		facts = append([]entry.Payload{created(1, "repair", entry.Cause{})}, append(facts, &entry.RunEnded{Status: status})...)
		r.write(t, "run", fmt.Sprintf("run_%02d", n), "default", status, "", at(when), facts...)
	}
	ran("2026-03-27 12:00", "failed") // before
	ran("2026-03-28 00:00", "succeeded")
	ran("2026-03-28 23:59", "succeeded", &entry.StepVerified{Path: "s", OK: true})
	ran("2026-03-29 03:30", "failed") // a day of 23 hours
	ran("2026-03-30 00:00", "succeeded")
	by := entry.Who{ID: "user:alice", Name: "Alice"}
	for i, when := range []string{"2026-03-27 01:00", "2026-03-29 01:00"} {
		id := fmt.Sprintf("inc_%d", i)
		r.write(t, "incident", id, "default", "resolved", "", at(when), &entry.IncidentOpened{By: by, ID: id, Title: "x", Severity: "major", Project: "default"}, &entry.IncidentResolved{By: by})
	}
	for i, status := range []string{"firing", "firing", "resolved"} {
		body := fmt.Sprintf(`{"source":"am","status":%q}`, status)
		row := store.Row{Key: store.Key{Kind: "event", ID: fmt.Sprint("evt_", i)}, Name: "DiskFull", Status: "unmatched", Project: "default", At: at("2026-03-28 12:00"), Body: []byte(body)}
		if err := r.Commit(t.Context(), []store.Batch{{Rows: []store.Row{row}}})[0].Err; err != nil {
			t.Fatal(err)
		}
	}
	q := insight.Query{Since: at("2026-03-28 00:00"), Until: at("2026-03-30 12:00"), Every: insight.Daily, Zone: zone, Compare: true}
	got, err := insight.Read(t.Context(), r, q)
	if err != nil {
		t.Fatal(err)
	}
	var said string
	for i, p := range got.Series {
		if i > 0 && !p.Since.Equal(got.Series[i-1].Until) {
			t.Errorf("part %d does not begin where the one before ends", i)
		}
		said += fmt.Sprintf("%s %d/%d/%d %d; ", p.Until.Sub(p.Since), p.Sum.Runs, p.Sum.Failed, p.Sum.Verified, p.Sum.Incidents)
	}
	if want := "24h0m0s 2/0/1 0; 23h0m0s 1/1/0 1; 12h0m0s 1/0/0 0; "; said != want {
		t.Errorf("%s, not %s", said, want)
	}
	if b := got.Before; b == nil || b.Runs != 1 || b.Failed != 1 || b.Incidents != 1 || b.Resolved != 1 {
		t.Errorf("before: %+v", b)
	}
	if got.Total.Runs != 4 || got.Total.Incidents != 1 || len(got.Teams) != 1 || got.Teams[0].Runs != 4 {
		t.Errorf("the time before is in the total: %+v", got)
	}
	if len(got.Alerts) != 1 || got.Alerts[0] != (insight.Noise{Name: "DiskFull", Source: "am", Events: 2, Unmatched: 2}) {
		t.Errorf("%+v", got.Alerts)
	}
	for step, want := range map[insight.Step]int{insight.Hourly: 59, insight.Weekly: 2, "": 0} {
		q.Every = step
		if got, err := insight.Read(t.Context(), r, q); err != nil || len(got.Series) != want {
			t.Errorf("%q: %d parts, not %d, %v", step, len(got.Series), want, err)
		}
	}
	for _, bad := range []insight.Query{{Since: q.Since, Until: q.Until, Every: "year"}, {Since: q.Since, Until: q.Until.AddDate(1, 0, 0), Every: insight.Hourly}} {
		if _, err := insight.Read(t.Context(), r, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestVerifies(t *testing.T) {
	t.Parallel()
	with := program.Node{Kind: program.KindAction, Verify: &program.Check{}}
	for i, c := range []struct {
		p    *program.Program
		want bool
	}{
		{nil, false},
		{&program.Program{Steps: []program.Node{{}}}, false},
		{&program.Program{Steps: []program.Node{with}}, true},
		{&program.Program{Steps: []program.Node{{Steps: []program.Node{{Catch: []program.Node{with}}}}}}, true},
	} {
		if got := insight.Verifies(c.p); got != c.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}
