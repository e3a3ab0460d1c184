package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/wire"
)

// What was meant and what was typed, and how many targets the default guards let one playbook touch within an hour.
const (
	meant = 6
	typed = 60
	bound = 10
)

// typo is a number that was mistyped.
func (d *Stage) typo(ctx context.Context) error {
	playbook, err := house.ReadFile("house/restart.yaml")
	if err != nil {
		return err
	}
	marks := filepath.Join(d.Dir, "restarted")
	if err := os.Mkdir(marks, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make %s", marks)
	}
	h, err := d.serve(ctx, map[string][]byte{"restart-web.yaml": playbook})
	if err != nil {
		return err
	}
	d.title("Sixty machines were typed, six were meant")
	d.say("A server answers on %s. Nobody configured a guard: those that are on by default are.\nThe machines are files below %s, and a restart leaves a mark in one.\n", h.Address(), marks)
	return h.end(ctx, h.mistyped(ctx, filepath.Join(d.Dir, "playbooks", "restart-web.yaml"), marks))
}

func (h *hub) mistyped(ctx context.Context, file, marks string) error {
	h.title(fmt.Sprintf("tend run restart-web -p machines=%d", typed))
	id, err := h.Start(ctx, file, fmt.Sprintf("machines=%d", typed), "dir="+marks)
	if err != nil {
		return err
	}
	reason, err := h.watchHeld(ctx, id)
	if err != nil {
		return err
	}
	h.say("")
	h.title("tend runs explain " + id)
	if err := h.Explain(ctx, id); err != nil {
		return err
	}
	held, err := names(marks)
	if err != nil {
		return err
	}
	why := fmt.Sprintf("%d were meant", meant)
	h.say("")
	h.title("tend runs cancel " + id + " --why '" + why + "'")
	if _, err := h.API().CommandRun(ctx, id, client.CommandRunQuery{}, wire.Command{Verb: engine.Cancel, Why: why}); err != nil {
		return err
	}
	var over wire.Row
	err = until(ctx, "run "+id+" is over", func() (bool, error) {
		over, err = h.API().ShowRun(ctx, id, client.ShowRunQuery{})
		return over.Status == "cancelled", err
	})
	if err != nil {
		return err
	}
	h.say("the run %s is %s", id, over.Status)
	after, err := names(marks)
	if err != nil {
		return err
	}
	p := h.prove()
	p.that(strings.Contains(reason, "default-spread"), "the run was held: %s", reason)
	p.that(len(held) == bound, "%d machines were touched, as many as one playbook may within an hour; %d of %d never were", len(held), typed-len(held), typed)
	p.that(slices.Equal(held, after), "nothing more was touched until somebody saw it, and said no")
	return p.look("Look at the run: " + h.Command("runs show "+id))
}

// watchHeld shows a run until a guard holds it, and gives the reason; "" when the run ended instead.
func (h *hub) watchHeld(ctx context.Context, id string) (string, error) {
	enough := fault.New(fault.Cancelled, "a guard holds run %s", id)
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var reason string
	seen := make(chan error, 1) // one, so that nobody has to wait for it
	go func() {
		err := until(watching, "a guard holds run "+id, func() (held bool, err error) {
			reason, err = h.held(watching, id)
			return reason != "", err
		})
		stop(enough)
		seen <- err
	}()
	_, err := h.Watch(watching, id)
	stop(nil)
	if serr := <-seen; serr != nil && err == nil {
		return "", nil
	}
	if errors.Is(err, enough) {
		err = nil
	}
	return reason, err
}

// held tells why a guard holds a run; "" when none does.
func (h *hub) held(ctx context.Context, run string) (string, error) {
	row, err := h.API().ShowRun(ctx, run, client.ShowRunQuery{})
	if err != nil {
		return "", err
	}
	body, err := decode[engine.RunRow](row.Body)
	for _, w := range body.Waits {
		if w.For == "guard" {
			return w.Why, err
		}
	}
	return "", err
}

// names lists the files of a directory, in order.
func names(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.Name()
	}
	return out, err
}

// The storm: how many machines raise which alarm, and how many alerts come with each message.
const (
	stormSize  = 10_000
	stormBatch = 100
)

func stormAlarms() []string { return []string{"ServiceDown", "HighLatency", "DiskFilling"} }

// storm is ten thousand alerts at once.
func (d *Stage) storm(ctx context.Context) error {
	files, err := house.ReadFile("house/storm.yaml")
	if err != nil {
		return err
	}
	h, err := d.serve(ctx, map[string][]byte{"storm.yaml": files})
	if err != nil {
		return err
	}
	d.title(fmt.Sprintf("%d alerts at once", stormSize))
	d.say("A server answers on %s. %d machines raise one of the alarms %s,\nall at once: a network is down. Whatever becomes of an alert is on disk before its message is answered.", h.Address(), stormSize, strings.Join(stormAlarms(), ", "))
	return h.end(ctx, h.weathered(ctx))
}

// weathered lets the storm come, and proves that nothing of it was lost.
func (h *hub) weathered(ctx context.Context) error {
	began := time.Now()
	receipts, err := h.flood(ctx)
	if err != nil {
		return err
	}
	took := time.Since(began)
	h.say("\n%d alerts were accepted in %s, %d with each message.", len(receipts), took.Round(time.Millisecond), stormBatch)
	h.say("")
	h.title("tend events send calm")
	var reached []string
	err = until(ctx, "all runs have heard that it is over", func() (bool, error) {
		sent, err := h.API().SendEvent(ctx, wire.Send{Name: "calm"})
		if err == nil {
			reached = append(reached, sent.Runs...)
		}
		return len(reached) >= len(stormAlarms()), err
	})
	if err != nil {
		return err
	}
	h.say("It reaches %s, which waited for it.", strings.Join(reached, ", "))
	for _, r := range receipts {
		if r.Outcome != event.Started {
			continue
		}
		err := until(ctx, "run "+r.Run+" is over", func() (bool, error) {
			row, err := h.API().ShowRun(ctx, r.Run, client.ShowRunQuery{})
			return run.Status(row.Status).Ended(), err
		})
		if err != nil {
			return err
		}
	}
	decided, err := h.decisions(ctx)
	if err != nil {
		return err
	}
	h.say("")
	h.title("What became of them")
	outcomes := map[string]int{}
	example := map[string]string{}
	missing := 0
	for _, r := range receipts {
		d, ok := decided[r.Event]
		if !ok || d.outcome == "" {
			missing++
			continue
		}
		outcomes[d.outcome]++
		example[d.outcome] = d.why
	}
	for _, o := range slices.Sorted(maps.Keys(outcomes)) {
		h.say("%6d  %-8s  such as: %s", outcomes[o], o, example[o])
	}
	page, err := h.API().ListIncidents(ctx, client.ListIncidentsQuery{})
	if err != nil {
		return err
	}
	list, err := h.API().ListRuns(ctx, client.ListRunsQuery{})
	if err != nil {
		return err
	}
	h.say("")
	h.title("tend runs list")
	for _, r := range list.Rows {
		h.say("%s  %s  %s", r.ID, r.Name, r.Status)
	}
	h.say("")
	h.title("tend incidents list")
	for _, r := range page.Rows {
		h.say("%s  %s  %s", r.ID, r.Status, r.Name)
	}
	alarms := len(stormAlarms())
	p := h.prove()
	p.that(len(receipts) == stormSize && missing == 0, "nothing was lost: %d alerts came in, and %d of them have a decision with its reason", len(receipts), len(receipts)-missing)
	p.that(len(decided) == stormSize, "nothing was counted twice: the server knows %d events", len(decided))
	good := 0
	for _, r := range list.Rows {
		if r.Status == string(run.Succeeded) {
			good++
		}
	}
	p.that(len(list.Rows) == alarms && good == alarms, "%d runs began, one for each alarm, and %d succeeded", len(list.Rows), good)
	p.that(len(page.Rows) == alarms, "%d incidents are open, one for each alarm: %d messages to read, not %d", len(page.Rows), alarms, stormSize)
	return p.look("Look at them: "+h.Command("events list --status joined"), "              "+h.Command("incidents list"))
}

// flood posts the storm over several connections, and gives what became of each alert.
func (h *hub) flood(ctx context.Context) ([]wire.Receipt, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches := make(chan []alert)
	var mu sync.Mutex
	var all []wire.Receipt
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for b := range batches {
				got, err := h.post(ctx, b...)
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				all = append(all, got...)
				mu.Unlock()
			}
		})
	}
	for from := 0; from < stormSize && ctx.Err() == nil; from += stormBatch {
		alarm := stormAlarms()[from/stormBatch%len(stormAlarms())]
		var b []alert
		for i := from; i < from+stormBatch; i++ {
			b = append(b, firing(fmt.Sprintf("%016x", i+1), map[string]string{
				"alertname": alarm, "severity": "critical", "instance": fmt.Sprintf("machine-%d", i+1),
			}))
		}
		select {
		case batches <- b:
		case <-ctx.Done():
		}
	}
	close(batches)
	senders.Wait()
	return all, context.Cause(ctx)
}

// decision is what the server says later about an event.
type decision struct{ outcome, why string }

// decisions asks the server about all events.
func (h *hub) decisions(ctx context.Context) (map[string]decision, error) {
	out := map[string]decision{}
	q := client.ListEventsQuery{Limit: 1000}
	for {
		page, err := h.API().ListEvents(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Rows {
			body, err := decode[struct{ Decision wire.Receipt }](r.Body)
			if err != nil {
				return nil, err
			}
			out[r.ID] = decision{r.Status, body.Decision.Why}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return out, nil
		}
	}
}
