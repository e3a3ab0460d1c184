package audit

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/sink"
	"github.com/tendhq/tend/internal/store"
)

// Follower follows the trail and gives what is new to a sink. How far it came is durable, in rows that Verify compares with
// the trail. Nothing is lost: what the sink did not take for sure is given again, also after a restart, so that the same
// (stream, seq) can come twice. Within a stream the order is kept.
//
// A follower without a sink only looks: what it saw cannot go missing unnoticed.
type Follower struct {
	Store  store.Store
	Ledger *ledger.Ledger
	Name   string    // of the marks: letters and digits
	Sink   sink.Sink // nil: none
	// Take, when it is set, is given the entries too, before the sink. Its error means that all of them come again.
	Take func(ctx context.Context, list []entry.Entry) error
	// Now begins with what comes from now on, where nothing was followed before by that name.
	Now bool
	Log *slog.Logger

	came   map[string]mark
	index  uint64 // of the store when everything was seen
	last   atomic.Int64
	failed atomic.Int64
}

// How a follower paces itself.
const (
	lookEvery = time.Second // whether something is new
	batch     = 500         // records at once
	slowest   = time.Minute // between attempts
)

// Shipped tells when the sink was last known to have everything; zero: never yet.
func (f *Follower) Shipped() time.Time {
	if n := f.last.Load(); n != 0 {
		return time.UnixMilli(n)
	}
	return time.Time{}
}

// Failures tells how often the sink did not take something.
func (f *Follower) Failures() int64 { return f.failed.Load() }

// Run follows until ctx ends. It never gives up: a sink that is down gets everything when it is back.
func (f *Follower) Run(ctx context.Context) error {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	pause, said := lookEvery, false
	for {
		err := f.Once(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			f.failed.Add(1)
			if !said {
				f.Log.Warn("the audit trail cannot be shipped; it is tried again", "to", f.Name, "error", err)
			}
			said, pause = true, min(2*pause, slowest)
		default:
			if said {
				f.Log.Info("the audit trail is shipped again", "to", f.Name)
			}
			said, pause = false, lookEvery
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
}

// Once gives the sink everything that is new now.
func (f *Follower) Once(ctx context.Context) error {
	at, err := f.Store.Identity(ctx)
	if err != nil {
		return err
	}
	if f.came == nil {
		came := map[string]mark{}
		err := marks(ctx, stored{f.Store}, func(row store.Row, m mark) {
			if strings.HasPrefix(row.ID, f.Name+"/") {
				came[m.Stream] = m
			}
		})
		if err == nil && f.Now && len(came) == 0 {
			err = f.begin(ctx, came)
		}
		if err != nil {
			return err
		}
		f.came = came
	} else if at.Index == f.index {
		f.last.Store(time.Now().UnixMilli())
		return nil
	}
	began := time.Now()
	names, err := Streams(ctx, stored{f.Store})
	if err != nil {
		return err
	}
	var damaged damages
	for _, name := range names {
		if err := damaged.note(f.stream(ctx, name)); err != nil {
			return err
		}
	}
	if len(damaged) > 0 && f.index != at.Index {
		f.Log.Error("the audit trail is damaged; what can be read of it was shipped", "to", f.Name, "error", damaged.err())
	}
	f.index = at.Index
	f.last.Store(began.UnixMilli())
	return nil
}

// begin marks everything that is there as seen. One mark more stands for the beginning itself, where nothing is there yet.
func (f *Follower) begin(ctx context.Context, came map[string]mark) error {
	names, err := Streams(ctx, stored{f.Store})
	if err != nil {
		return err
	}
	came["audit/"] = mark{Stream: "audit/"}
	for _, name := range names {
		h, err := f.Store.Head(ctx, name)
		if err == nil && h.Length > 0 {
			came[name] = mark{Stream: name, Seq: h.Length, Hash: h.Hash}
		} else if err != nil && !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
			return err
		}
	}
	var b ledger.Batch
	for _, m := range came {
		row, err := f.row(m, time.Now())
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, row)
	}
	return f.Ledger.Append(ctx, b)
}

func (f *Follower) row(m mark, at time.Time) (store.Row, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return store.Row{}, fault.Wrap(fault.Internal, err, "encode a mark")
	}
	return store.Row{Key: store.Key{Kind: MarkKind, ID: f.Name + "/" + m.Stream}, Name: f.Name, At: at, Body: body}, nil
}

// stream gives what is new in one stream.
func (f *Follower) stream(ctx context.Context, name string) error {
	m := f.came[name]
	h, err := f.Store.Head(ctx, name)
	if err != nil || h.Length == m.Seq {
		return err
	}
	if h.Length < m.Seq {
		return fault.New(fault.Damaged, "%s entry %d is missing: it was seen before, and the stream ends with entry %d", name, h.Length+1, h.Length)
	}
	for {
		list, err := f.Store.Read(ctx, name, m.Seq+1, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		if m.Seq > 0 && list[0].Prev != m.Hash {
			return fault.New(fault.Damaged, "%s entry %d: it is another one than was seen before: the stream was written anew", name, m.Seq)
		}
		if err := f.give(ctx, list); err != nil {
			return err
		}
		last := &list[len(list)-1]
		m = mark{Stream: name, Seq: last.Seq, Hash: last.Hash}
		row, err := f.row(m, last.At)
		if err != nil {
			return err
		}
		if err := f.Ledger.Append(ctx, ledger.Batch{Rows: []store.Row{row}}); err != nil {
			return err
		}
		f.came[name] = m
		if len(list) < batch {
			return nil
		}
	}
}

func (f *Follower) give(ctx context.Context, list []entry.Entry) error {
	if f.Take != nil {
		if err := f.Take(ctx, list); err != nil {
			return err
		}
	}
	if f.Sink == nil {
		return nil
	}
	lines := make([]sink.Line, len(list))
	for i, e := range list {
		r := NewRecord(e)
		var b strings.Builder
		if err := Write(&b, r); err != nil {
			return fault.Wrap(fault.Internal, err, "encode a record")
		}
		lines[i] = sink.Line{
			At: r.At, Stream: r.Stream, Seq: r.Seq, Name: string(r.Kind), Warn: r.Allowed != nil && !*r.Allowed,
			Text: strings.TrimSuffix(b.String(), "\n"),
		}
	}
	return f.Sink.Write(ctx, lines)
}

// stored is a store as a Reader.
type stored struct{ store.Store }

func (s stored) Entries(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	return s.Read(ctx, stream, from, limit)
}
