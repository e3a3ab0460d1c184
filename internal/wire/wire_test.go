package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

func TestAnEntryArrivesAsItWasSealed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	first, err := entry.New(at, &entry.StepResult{Path: "steps[0]", Output: value.Object{"html": "<b>&\u2028", "n": int64(1) << 60}})
	if err != nil {
		t.Fatal(err)
	}
	first.Stream, first.Seq, first.Salt = "run/x", 1, entry.Salt{1, 2}
	first.Seal()
	second := entry.Entry{Stream: "run/x", Seq: 2, Kind: entry.KindRunEnded, Version: 1, At: at, Prev: first.Hash}
	second.Payload = []byte(`{}`)
	second.Seal()
	second.Erase([]byte{0xff, 'x'})

	var prev *entry.Entry
	for _, e := range []entry.Entry{first, second} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(wire.FromEntry(e)); err != nil {
			t.Fatal(err)
		}
		var w wire.Entry
		if err := json.Unmarshal(b.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		got := w.Entry()
		if d := cmp.Diff(e, got); d != "" {
			t.Errorf("(-sent +got)\n%s", d)
		}
		if err := got.Verify(prev); err != nil {
			t.Error(err)
		}
		prev = &got
	}
}

func TestARowArrivesAsItIs(t *testing.T) {
	t.Parallel()
	r := store.Row{Key: store.Key{Kind: "run", ID: "run_1"}, Project: "default", Status: "waiting", Name: "n", Parent: "p", Tag: "t", At: time.Unix(1, 0).UTC(), Labels: map[string]string{"team": "db"}, Body: []byte(`{"a":1}`)}
	b, err := json.Marshal(wire.FromRow(r))
	if err != nil {
		t.Fatal(err)
	}
	var w wire.Row
	if err := json.Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, w.Row()); d != "" {
		t.Errorf("(-sent +got)\n%s", d)
	}
}

func TestAProblemKeepsKindMessageAndNextStep(t *testing.T) {
	t.Parallel()
	one := fault.New(fault.Conflict, "the run has ended").WithNext("start it again")
	two := fault.New(fault.NotFound, "no run x")
	for _, err := range []error{one, two, errors.Join(one, two), errors.New("plain")} {
		b, merr := json.Marshal(wire.NewProblem(err))
		if merr != nil {
			t.Fatal(merr)
		}
		var p wire.Problem
		if uerr := json.Unmarshal(b, &p); uerr != nil {
			t.Fatal(uerr)
		}
		got := p.Err()
		if got.Error() != err.Error() || fault.KindOf(got) != fault.KindOf(err) || fault.NextOf(got) != fault.NextOf(err) {
			t.Errorf("sent %q (%s, %q), got %q (%s, %q)", err, fault.KindOf(err), fault.NextOf(err), got, fault.KindOf(got), fault.NextOf(got))
		}
		if p.Status < 400 {
			t.Errorf("%q has status %d", err, p.Status)
		}
	}
}
