// Package story reads a run back from an engine as people look at it: its entries folded by package history, what the
// engine says that it waits for, what a quarantined run holds, its outputs and its logs. The command line, the page and an
// exported report show the same.
//
// It decides nothing and writes nothing. What must not be seen is masked before it leaves.
package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/report"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/transcript"
	"github.com/tendhq/tend/internal/value"
)

// pageSize is how many entries are read at a time.
const pageSize = 1000

// Story is a run that was read, as far as it is told.
type Story struct {
	Fold    *history.Fold
	Program *program.Program // nil: it cannot be read
	// Metadata is what templates saw as metadata besides the playbook's own: commit, author, file.
	Metadata value.Object

	id     string
	next   uint64
	broken bool // what follows cannot be read
}

// Read reads a whole run, of which row is known. After an error that is not about the run's own data the story holds what
// was read until then.
func Read(ctx context.Context, s engine.Service, row store.Row) (*Story, error) {
	prog, err := s.Program(ctx, row.ID)
	if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
		return nil, err
	}
	t := &Story{Fold: history.New(row.ID, prog), Program: prog, id: row.ID, next: 1}
	return t, t.Go(ctx, s, row)
}

// Go reads on from where it stopped, and says what row tells beside the entries.
func (t *Story) Go(ctx context.Context, s engine.Service, row store.Row) error {
	for !t.broken {
		list, err := s.Entries(ctx, "run/"+t.id, t.next, pageSize)
		if fault.Is(err, fault.NotFound) && t.next > 1 {
			break
		}
		if row.Status == string(run.Quarantined) && (fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer)) {
			unreadable(t.Fold.View(), row, err)
			t.broken = true
			break
		}
		if err != nil {
			return fmt.Errorf("read the run: %w", err)
		}
		for _, e := range list {
			t.Fold.Add(e)
			if e.Kind == entry.KindRunCreated {
				t.created(e)
			}
			t.next = e.Seq + 1
		}
		if len(list) < pageSize {
			break
		}
	}
	var body engine.RunRow
	if json.Unmarshal(row.Body, &body) == nil {
		if err := Holders(ctx, s, body.Waits); err != nil {
			return err
		}
		t.Fold.Told(row.Status, Waits(body.Waits))
	}
	if row.Status == string(run.Quarantined) {
		return held(ctx, s, t.Fold.View(), row.ID, body.Released)
	}
	return nil
}

func (t *Story) created(e entry.Entry) {
	p, err := entry.Decode(e)
	if c, ok := p.(*entry.RunCreated); err == nil && ok {
		t.Metadata = c.Metadata
	}
}

// Seq is the number of the last entry that was read.
func (t *Story) Seq() uint64 { return t.next - 1 }

// Outputs gives the outputs of the run, those that are too large to be inline too, as they may be shown.
func (t *Story) Outputs(ctx context.Context, s engine.Service) (map[string]any, error) {
	v := t.Fold.View()
	if v.Ref == nil {
		return v.Outputs, nil
	}
	return t.Large(ctx, s, *v.Ref)
}

// Large reads outputs that are too large to be inline, as they may be shown.
func (t *Story) Large(ctx context.Context, s engine.Service, ref entry.Ref) (map[string]any, error) {
	b, err := s.Blob(ctx, t.id, ref)
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(b)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the outputs of %s", t.id)
	}
	shown, _ := t.Fold.Mask(v).(map[string]any)
	return shown, nil
}

// Log gives the lines of a log, as they may be shown, at most most bytes of text; then a line of tend's with rest.
func (t *Story) Log(ctx context.Context, s engine.Service, ref entry.Ref, most int, rest string) ([]transcript.Line, error) {
	b, err := s.Blob(ctx, t.id, ref)
	if err != nil {
		return nil, err
	}
	var out []transcript.Line
	size := 0
	for l, err := range transcript.Read(bytes.NewReader(b)) {
		if err != nil {
			return out, err
		}
		l.Text, _ = t.Fold.Mask(l.Text).(string)
		if size += len(l.Text); size > most {
			return append(out, transcript.Line{At: l.At, Stream: transcript.Tend, Text: rest}), nil
		}
		out = append(out, l)
	}
	return out, nil
}

// maxReportLog bounds what of one log goes into a report.
const maxReportLog = 1 << 20

// Report makes what a report of the run is written from.
func (t *Story) Report(ctx context.Context, s engine.Service) (report.Run, error) {
	outputs, err := t.Outputs(ctx, s)
	if err != nil {
		return report.Run{}, err
	}
	shown, _ := t.Fold.Mask(outputs).(map[string]any)
	return report.Run{
		View: t.Fold.View(), Program: t.Program, Outputs: shown,
		Log: func(ref entry.Ref) ([]report.Line, error) {
			lines, err := t.Log(ctx, s, ref, maxReportLog, "[… the rest is left out here: tend runs logs "+t.id+"]")
			out := make([]report.Line, len(lines))
			for i, l := range lines {
				out[i] = report.Line{At: l.At, Stream: l.Stream, Text: l.Text}
			}
			return out, err
		},
	}, nil
}

// held tells what a quarantined run keeps from others, or who has freed that.
func held(ctx context.Context, s engine.Service, v *history.View, id string, by *engine.Freed) error {
	p, err := s.Rows(ctx, store.Filter{Kind: "lock", Parent: id, Limit: 1000, Oldest: true})
	v.Held = nil
	for _, r := range p.Rows {
		v.Held = append(v.Held, r.ID)
	}
	v.Released = (*history.Freed)(by)
	return err
}

// unreadable tells of a run that is quarantined because its entries cannot be read what its row knows.
func unreadable(v *history.View, row store.Row, err error) {
	var body engine.RunRow
	if json.Unmarshal(row.Body, &body) == nil {
		v.By, v.Cause, v.Source, v.Started, v.Fault = body.By, body.Cause, body.Source, body.Started, body.Fault
	}
	v.Name, v.Status, v.Created = row.Name, row.Status, row.At
	if v.Ended = body.Ended; v.Ended.IsZero() {
		v.Ended = row.At // it is over, whenever that was
	}
	v.Remarks = append(v.Remarks, err.Error())
}

// Waits gives what a run waits for as package history tells it.
func Waits(in []engine.Wait) []history.Wait {
	out := make([]history.Wait, len(in))
	for i, w := range in {
		out[i] = history.Wait(w)
	}
	return out
}

// Holders says which runs have the locks that are waited for.
func Holders(ctx context.Context, s engine.Service, waits []engine.Wait) error {
	for i, w := range waits {
		if w.For != "lock" {
			continue
		}
		p, err := s.Rows(ctx, store.Filter{Kind: "lock", ID: w.On, Limit: 1})
		if err != nil {
			return err
		}
		waits[i].Holder = ""
		if len(p.Rows) > 0 {
			waits[i].Holder = p.Rows[0].Parent
		}
	}
	return nil
}
