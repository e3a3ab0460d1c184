package handover_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/handover"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
)

const planted = "pl4nted p4ssword"

// house is a desk with what it needs; runs are rows, and what is erased from them is noted.
type house struct {
	*handover.Desk

	t      *testing.T
	store  store.Store
	ledger *ledger.Ledger
	key    seal.Key
	dir    string
	now    time.Time
	erased []engine.Command
}

func open(t *testing.T) *house {
	t.Helper()
	s := memory.New()
	lease, err := s.Claim(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: s, ledger: ledger.Open(s, lease, nil), dir: filepath.Join(t.TempDir(), "handovers"), now: time.Unix(1_800_000_000, 0)}
	t.Cleanup(func() { _ = h.ledger.Close(context.Background()) })
	if h.key, err = seal.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	h.run("run_1", "running")
	h.reopen()
	return h
}

func (h *house) reopen() {
	h.t.Helper()
	var err error
	if h.Desk, err = handover.Open(h.t.Context(), handover.Config{
		Ledger: h.ledger, Engine: h, Key: h.key, Dir: h.dir, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now },
	}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) run(name, status string) {
	h.t.Helper()
	body, err := json.Marshal(engine.RunRow{Status: status, Cause: entry.Cause{Root: name}})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.ledger.Append(h.t.Context(), ledger.Batch{Rows: []store.Row{{
		Key: store.Key{Kind: "run", ID: name}, Project: "shop", Status: status, Labels: map[string]string{"team": "db"}, At: h.now, Body: body,
	}}}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) Rows(ctx context.Context, f store.Filter) (store.Page, error) {
	return h.store.Rows(ctx, f)
}

func (h *house) Do(_ context.Context, c engine.Command) (engine.Done, error) {
	h.erased = append(h.erased, c)
	return engine.Done{Count: 1}, nil
}

func (h *house) make(change ...func(*handover.Make)) (handover.Handover, error) {
	m := handover.Make{Key: "key", Run: "run_1", Step: "steps[0]", To: "user:ann@example.org", Title: "Password", Value: secret.New(planted), For: time.Hour}
	for _, c := range change {
		c(&m)
	}
	return h.Make(h.t.Context(), m)
}

// everything is all that is stored, and all files, as one text.
func (h *house) everything() string {
	h.t.Helper()
	var b strings.Builder
	for _, kind := range []string{"handover", "handover-box", "handover-trace"} {
		page, err := h.store.Rows(h.t.Context(), store.Filter{Kind: kind})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range page.Rows {
			b.WriteString(kind + " " + r.ID + " " + r.Status + " " + string(r.Body) + "\n")
		}
	}
	list, err := h.store.Read(h.t.Context(), ledger.AuditServer, 1, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range list {
		b.Write(e.Payload)
		b.WriteByte('\n')
	}
	err = filepath.WalkDir(h.dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(p)
		b.WriteString(p + " " + string(content) + "\n")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return b.String()
}

func ann() access.Principal {
	return access.Principal{ID: "user:ann@example.org", Name: "Ann", From: "10.0.0.7", Via: "api"}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	x, err := h.make()
	if err != nil || x.Status != handover.Pending {
		t.Fatalf("%+v, %v", x, err)
	}
	if again, err := h.make(); err != nil || again != x {
		t.Errorf("a repeat: %+v, %v", again, err)
	}
	if all := h.everything(); strings.Contains(all, planted) {
		t.Errorf("it can be read:\n%s", all)
	}
	list, err := h.For(t.Context(), ann().ID)
	if err != nil || len(list) != 1 || list[0].ID != x.ID {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := h.Take(t.Context(), x.ID, access.Principal{ID: "user:eve@example.org"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("somebody else: %v", err)
	}
	h.reopen() // it survives
	v, err := h.Take(t.Context(), x.ID, ann())
	if err != nil || v.Reveal() != planted {
		t.Fatalf("%v", err)
	}
	if _, err := h.Take(t.Context(), x.ID, ann()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "taken") {
		t.Errorf("a second time: %v", err)
	}
	all := h.everything()
	if strings.Contains(all, "handover-box") || strings.Contains(all, h.dir) || !strings.Contains(all, `"what":"handover-taken"`) || !strings.Contains(all, "10.0.0.7") {
		t.Errorf("what is left:\n%s", all)
	}
	// The run goes on, and may need what it made. When it is over, nothing of it is left there.
	if err := h.Sweep(t.Context()); err != nil || len(h.erased) != 0 {
		t.Errorf("%+v, %v", h.erased, err)
	}
	h.run("run_1", "succeeded")
	for range 2 {
		if err := h.Sweep(t.Context()); err != nil || len(h.erased) != 1 || h.erased[0].Verb != engine.Redact || h.erased[0].Run != "run_1" {
			t.Errorf("%+v, %v", h.erased, err)
		}
	}
	if all := h.everything(); strings.Contains(all, "handover-trace") || !strings.Contains(all, `"erased":true`) {
		t.Errorf("what is left:\n%s", all)
	}
}

// TestOnceAtATime: of many who ask at once, one gets it.
func TestOnceAtATime(t *testing.T) {
	t.Parallel()
	h := open(t)
	x, err := h.make()
	if err != nil {
		t.Fatal(err)
	}
	var got, refused atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			switch v, err := h.Take(context.Background(), x.ID, ann()); {
			case err == nil && v.Reveal() == planted:
				got.Add(1)
			case fault.Is(err, fault.Conflict):
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if got.Load() != 1 || refused.Load() != 19 {
		t.Errorf("%d got it, %d did not", got.Load(), refused.Load())
	}
}

func TestItExpires(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]func(h *house, id string) error{
		"by itself": func(h *house, _ string) error { return h.Sweep(h.t.Context()) },
		"when it is asked for": func(h *house, id string) error {
			if _, err := h.Take(h.t.Context(), id, ann()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "expired") {
				return errors.Join(errors.New("it can be taken too late"), err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			x, err := h.make()
			if err != nil {
				t.Fatal(err)
			}
			h.now = x.Expires.Add(-time.Microsecond)
			if err := h.Sweep(t.Context()); err != nil || !strings.Contains(h.everything(), "handover-box") {
				t.Fatalf("too early: %v", err)
			}
			h.now = x.Expires
			if err := late(h, x.ID); err != nil {
				t.Fatal(err)
			}
			if all := h.everything(); strings.Contains(all, "handover-box") || strings.Contains(all, h.dir) || !strings.Contains(all, `"what":"handover-expired"`) {
				t.Errorf("what is left:\n%s", all)
			}
		})
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	h := open(t)
	x, err := h.make()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Withdraw(t.Context(), x.ID, access.Principal{ID: "user:root"}, "mistaken"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Take(t.Context(), x.ID, ann()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "withdrawn") {
		t.Errorf("%v", err)
	}
	if err := h.Withdraw(t.Context(), x.ID, access.Principal{ID: "user:root"}, ""); !fault.Is(err, fault.Conflict) {
		t.Errorf("twice: %v", err)
	}
	if err := h.Withdraw(t.Context(), "hnd_nothing", access.Principal{ID: "user:root"}, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("nothing: %v", err)
	}
	if all := h.everything(); strings.Contains(all, "handover-box") || strings.Contains(all, h.dir) || !strings.Contains(all, "mistaken") {
		t.Errorf("what is left:\n%s", all)
	}
}

// TestWithoutItsKey: what a backup holds cannot be opened, and a key that belongs to nothing is destroyed at the next start.
func TestWithoutItsKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	x, err := h.make()
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(h.dir, "hnd_crashed")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(left); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(h.dir, x.ID)); err != nil {
		t.Fatal(err)
	}
	h.reopen()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key of nothing: %v", err)
	}
	if _, err := h.Take(t.Context(), x.ID, ann()); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeHandedOver(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, change := range map[string]func(*handover.Make){
		"a group":      func(m *handover.Make) { m.To = "group:sre" },
		"everybody":    func(m *handover.Make) { m.To = "*" },
		"a pattern":    func(m *handover.Make) { m.To = "user:*@example.org" },
		"nobody":       func(m *handover.Make) { m.To = "" },
		"a run":        func(m *handover.Make) { m.To = "run:run_1" },
		"nothing":      func(m *handover.Make) { m.Value = secret.Value{} },
		"too much":     func(m *handover.Make) { m.Value = secret.New(strings.Repeat("x", handover.MaxSize+1)) },
		"at once":      func(m *handover.Make) { m.For = time.Second },
		"for ever":     func(m *handover.Make) { m.For = 365 * 24 * time.Hour },
		"a long title": func(m *handover.Make) { m.Title = strings.Repeat("x", 201) },
	} {
		if _, err := h.make(change); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.make(func(m *handover.Make) { m.Run = "run_nothing" }); !fault.Is(err, fault.NotFound) {
		t.Errorf("no run: %v", err)
	}
	if all := h.everything(); strings.Contains(all, "handover") {
		t.Errorf("something is left:\n%s", all)
	}
}
