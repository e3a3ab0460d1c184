package entry_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// chain makes n sealed entries.
func chain(t testing.TB, n int) []entry.Entry {
	t.Helper()
	all := make([]entry.Entry, n)
	var prev entry.Hash
	for i := range all {
		e, err := entry.New(time.Unix(1_770_000_000+int64(i), 123_456_789), &entry.StepSkipped{Path: fmt.Sprintf("steps[%d]", i), Why: "a <test>"})
		if err != nil {
			t.Fatal(err)
		}
		e.Stream, e.Seq, e.Epoch, e.Prev = "run/run_1", uint64(i+1), 3, prev
		e.Salt = entry.Salt{1, 2, byte(i)}
		e.Seal()
		prev = e.Hash
		all[i] = e
	}
	return all
}

func verify(all []entry.Entry) error {
	var prev *entry.Entry
	for i := range all {
		if err := all[i].Verify(prev); err != nil {
			return err
		}
		prev = &all[i]
	}
	return nil
}

// TestSealIsForEver: the hash of an entry is a promise. If this fails, no chain that was ever written verifies.
func TestSealIsForEver(t *testing.T) {
	t.Parallel()
	e := chain(t, 2)[1]
	if got, want := string(e.Payload), `{"path":"steps[1]","why":"a <test>"}`; got != want {
		t.Errorf("payload %s, not %s", got, want)
	}
	if got, want := e.Sum.String(), "99d76f9aa137c51534357101060daa8bec3ad41872eacc2b7eeefe12d9c5f888"; got != want {
		t.Errorf("sum %s, not %s", got, want)
	}
	if got, want := e.Hash.String(), "c1c7f9fb389ceab04a614f23f6f765acee310ea38174d6d8cf29dd2298facba9"; got != want {
		t.Errorf("hash %s, not %s", got, want)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	e := chain(t, 1)[0]
	if e.At.Location() != time.UTC || e.At.Nanosecond() != 123_456_000 {
		t.Errorf("the time is %v", e.At)
	}
	if e.Version != entry.Version || e.Kind != entry.KindStepSkipped {
		t.Errorf("%+v", e)
	}
	if _, err := entry.New(time.Now(), &entry.RunEnded{Outputs: map[string]any{"x": func() {}}}); err == nil {
		t.Error("a function was encoded")
	}
}

// TestVerify changes every part of an entry in the middle of a chain.
func TestVerify(t *testing.T) {
	t.Parallel()
	if err := verify(chain(t, 5)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*entry.Entry){
		"stream":  func(e *entry.Entry) { e.Stream = "run/run_2" },
		"seq":     func(e *entry.Entry) { e.Seq++ },
		"kind":    func(e *entry.Entry) { e.Kind = entry.KindRunEnded },
		"version": func(e *entry.Entry) { e.Version++ },
		"time":    func(e *entry.Entry) { e.At = e.At.Add(time.Microsecond) },
		"epoch":   func(e *entry.Entry) { e.Epoch-- },
		"payload": func(e *entry.Entry) { e.Payload = append(slices.Clone(e.Payload), ' ') },
		"empty":   func(e *entry.Entry) { e.Payload = nil },
		"salt":    func(e *entry.Entry) { e.Salt[15]++ },
		"sum":     func(e *entry.Entry) { e.Sum[0]++ },
		"prev":    func(e *entry.Entry) { e.Prev[0]++ },
		"hash":    func(e *entry.Entry) { e.Hash[31]++ },
		// An attacker who seals again breaks the link to the next.
		"sealed again": func(e *entry.Entry) { e.Payload = []byte(`{}`); e.Seal() },
	} {
		all := chain(t, 5)
		change(&all[2])
		err := verify(all)
		if !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), "entry ") || !strings.Contains(err.Error(), "run/run_") {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for name, change := range map[string]func([]entry.Entry) []entry.Entry{
		"first missing": func(e []entry.Entry) []entry.Entry { return e[1:] },
		"missing":       func(e []entry.Entry) []entry.Entry { return slices.Delete(e, 2, 3) },
		"twice":         func(e []entry.Entry) []entry.Entry { return slices.Insert(e, 2, e[2]) },
		"reordered":     func(e []entry.Entry) []entry.Entry { e[2], e[3] = e[3], e[2]; return e },
	} {
		if err := verify(change(chain(t, 5))); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestErase: the chain holds over an erasure, and nothing else can hide behind it.
func TestErase(t *testing.T) {
	t.Parallel()
	all := chain(t, 5)
	all[2].Erase([]byte(`{"path":"steps[2]","why":"[erased]"}`))
	if err := verify(all); err != nil {
		t.Errorf("after an erasure: %v", err)
	}
	if !all[2].Erased || all[2].Salt != (entry.Salt{}) {
		t.Errorf("%+v", all[2])
	}
	p, err := entry.Decode(all[2])
	if s, ok := p.(*entry.StepSkipped); !ok || s.Why != "[erased]" || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
	all[2].Epoch++
	if err := verify(all); !fault.Is(err, fault.Damaged) {
		t.Errorf("an altered envelope of an erased entry: %v", err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	good := chain(t, 1)[0]
	for name, c := range map[string]struct {
		change func(*entry.Entry)
		kind   fault.Kind
	}{
		"a newer version": {func(e *entry.Entry) { e.Version = entry.Version + 1 }, fault.Newer},
		"version zero":    {func(e *entry.Entry) { e.Version = 0 }, fault.Damaged},
		"an unknown kind": {func(e *entry.Entry) { e.Kind = "run-teleported" }, fault.Newer},
		"no JSON":         {func(e *entry.Entry) { e.Payload = []byte(`{"path"`) }, fault.Damaged},
		"nothing":         {func(e *entry.Entry) { e.Payload = nil }, fault.Damaged},
		"null":            {func(e *entry.Entry) { e.Payload = []byte(`null`) }, fault.Damaged},
		"two documents":   {func(e *entry.Entry) { e.Payload = []byte(`{} {}`) }, fault.Damaged},
		"a list":          {func(e *entry.Entry) { e.Payload = []byte(`[]`) }, fault.Damaged},
		"a wrong type":    {func(e *entry.Entry) { e.Payload = []byte(`{"path":7}`) }, fault.Damaged},
		"too deep": {func(e *entry.Entry) {
			e.Kind, e.Payload = entry.KindRunEnded, []byte(`{"outputs":{"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}}`)
		}, fault.Damaged},
	} {
		e := good
		c.change(&e)
		p, err := entry.Decode(e)
		if !fault.Is(err, c.kind) || p != nil || !strings.Contains(err.Error(), "run/run_1 entry 1") {
			t.Errorf("%s: %v, %v (%s)", name, p, err, fault.KindOf(err))
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	e := chain(t, 1)[0]
	b, err := json.Marshal(map[string]any{"hash": e.Hash, "salt": e.Salt})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Hash entry.Hash
		Salt entry.Salt
	}
	if err := json.Unmarshal(b, &got); err != nil || got.Hash != e.Hash || got.Salt != e.Salt {
		t.Errorf("%s: %+v, %v", b, got, err)
	}
	for _, bad := range []string{`{"hash":"ab"}`, `{"hash":"` + strings.Repeat("zz", 32) + `"}`, `{"salt":""}`, `{"salt":"` + strings.Repeat("x", 32) + `"}`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// FuzzDecode: no payload makes Decode panic, and what it reads it can write and read again.
func FuzzDecode(f *testing.F) {
	for k := range entry.Kinds() {
		for _, line := range goldens(f, k) {
			f.Add(string(k), entry.Version, []byte(line))
		}
	}
	f.Add("run-created", 99, []byte(`{}`))
	f.Add("nothing", 1, []byte(`{"a":[{}]}`))
	f.Add("step-result", 1, []byte(`{"attempt":1e400,"output":{"a":1e999}}`))
	f.Fuzz(func(t *testing.T, kind string, version int, payload []byte) {
		p, err := entry.Decode(entry.Entry{Stream: "run/x", Seq: 1, Kind: entry.Kind(kind), Version: version, Payload: payload})
		if err != nil {
			if k := fault.KindOf(err); k != fault.Newer && k != fault.Damaged {
				t.Fatalf("%v is of kind %s", err, k)
			}
			return
		}
		e, err := entry.New(time.Unix(0, 0), p)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := entry.Decode(e)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, e.Payload)
		}
		e2, err := entry.New(time.Unix(0, 0), again)
		if err != nil || string(e2.Payload) != string(e.Payload) {
			t.Fatalf("%v\n%s\n%s", err, e.Payload, e2.Payload)
		}
	})
}
