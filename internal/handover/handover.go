// Package handover gives what a run made, such as the password of a new account, to one person, once.
//
// It guarantees: what is handed over is encrypted under a key of its own, which is a file of the data directory and in no
// backup; it is given to nobody but whom it is for, and once at most: that it was taken is durable before it is shown; when
// it was taken, or its time is over, or it was taken back, the key is destroyed, and nobody can open it any more. When the run
// has ended too, what it had recorded of it, sealed, is erased. Each of that is in the audit trail, in the same commit.
//
// It does not guarantee that a disk forgets what was overwritten, nor that who took it keeps it to themselves. Backups that
// were made while the run was not over hold what the run had sealed.
package handover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
)

// Status of a Handover.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Taken     Status = "taken"
	Expired   Status = "expired"
	Withdrawn Status = "withdrawn"
)

// Handover is what is known of one, but not what is handed over. It is the body of a row of kind Kind.
type Handover struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"`     // who took it or took it back
	Ended   time.Time `json:"ended,omitzero"`   // when it was taken, expired or taken back
	Erased  bool      `json:"erased,omitempty"` // nothing of it is left in the run
	Expires time.Time `json:"expires"`
	ID      string    `json:"id"`
	Root    string    `json:"root"` // the outermost run
	Run     string    `json:"run"`  // that made it
	Status  Status    `json:"status"`
	Step    string    `json:"step"`
	Title   string    `json:"title,omitempty"`
	To      string    `json:"to"` // principal
}

// The kinds of rows. Those of boxKind and traceKind hold something encrypted, and are nobody's to read.
const (
	Kind      = "handover"
	boxKind   = "handover-box"   // what is handed over
	traceKind = "handover-trace" // how it stands in the run, until it is erased there
)

// Hidden tells whether rows of a kind are nobody's to read.
func Hidden(kind string) bool { return kind == boxKind || kind == traceKind }

// Tag is the tag of the rows of what is for somebody.
func Tag(principal string) string { return "to:" + principal }

// Bounds of how long something waits to be taken.
const (
	Default  = 24 * time.Hour
	Shortest = time.Minute
	Longest  = 30 * 24 * time.Hour
)

// MaxSize bounds what is handed over, in bytes.
const MaxSize = 16 << 10

// Engine is what a Desk needs of the server's engine.
type Engine interface {
	Rows(ctx context.Context, f store.Filter) (store.Page, error)
	Do(ctx context.Context, c engine.Command) (engine.Done, error)
}

// Config of a Desk. All of it is required but Now.
type Config struct {
	Ledger *ledger.Ledger
	Engine Engine
	Key    seal.Key // of the data directory: runs seal with it
	Dir    string   // holds the keys of what waits
	Log    *slog.Logger
	Now    func() time.Time
}

// Desk hands over. It is safe for concurrent use.
type Desk struct {
	cfg  Config
	mu   sync.Mutex // one change after the other
	wake chan struct{}
}

// Open makes a desk, and destroys the keys of what does not wait any more.
func Open(ctx context.Context, c Config) (*Desk, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "make %s", c.Dir)
	}
	d := &Desk{cfg: c, wake: make(chan struct{}, 1)} // one: it says that there is something to look at
	names, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "read %s", c.Dir)
	}
	for _, n := range names {
		h, _, err := d.find(ctx, n.Name())
		if err != nil {
			return nil, err
		}
		if h == nil || h.Status != Pending {
			if err := d.destroy(n.Name()); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// Make asks for something to be handed over.
type Make struct {
	Key   string // of the step: a repeat hands over the same
	Run   string
	Step  string
	To    string // principal: user:alice@example.org, token:ci
	Title string
	Value secret.Value
	For   time.Duration // how long it waits
}

func (m *Make) check() error {
	var problems []error
	wrong := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	kind, _, _ := strings.Cut(m.To, ":")
	if access.Subject(m.To) != "" || strings.Contains(m.To, "*") || !slices.Contains([]string{"user", "token", "workload", "os"}, kind) {
		wrong("to: %.200q is not one person; write user:ann@example.org, or token:…", m.To)
	}
	if text := m.Value.Reveal(); text == "" || len(text) > MaxSize {
		wrong("value: what is handed over has 1 to %d bytes", MaxSize)
	}
	if m.For < Shortest || m.For > Longest {
		wrong("expires: it waits between %s and %d days, not %s", Shortest, int(Longest.Hours()/24), m.For)
	}
	if len(m.Title) > 200 {
		wrong("title: it has more than 200 bytes")
	}
	return errors.Join(problems...)
}

// Make lets something wait for the person whom it is for.
func (d *Desk) Make(ctx context.Context, m Make) (Handover, error) {
	if err := m.check(); err != nil {
		return Handover{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := id.Derive("hnd", m.Key, "handover", id.Birth(m.Run))
	if h, _, err := d.find(ctx, name); err != nil || h != nil {
		if h == nil {
			h = &Handover{}
		}
		return *h, err // a repeat
	}
	of, root, err := d.of(ctx, m.Run)
	if err != nil {
		return Handover{}, err
	}
	trace, err := d.trace(root, m.Value)
	if err != nil {
		return Handover{}, err
	}
	dir := filepath.Join(d.cfg.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return Handover{}, fault.Wrap(fault.Unavailable, err, "make a key")
	}
	key, err := seal.Open(dir)
	if err != nil {
		return Handover{}, err
	}
	box, err := key.Seal(name, []byte(m.Value.Reveal()))
	if err != nil {
		return Handover{}, err
	}
	now := d.cfg.Now().UTC().Truncate(time.Microsecond)
	h := Handover{At: now, Expires: now.Add(m.For), ID: name, Root: root, Run: m.Run, Status: Pending, Step: m.Step, Title: m.Title, To: m.To}
	err = d.write(ctx, h, of, ledger.Batch{
		Facts: []ledger.Fact{ledger.Audit(entry.Who{ID: "run:" + m.Run, Name: m.Run, Via: "engine"}, "handed-over", name, m.Title, map[string]any{
			"to": m.To, "run": m.Run, "expires": h.Expires.Format(time.RFC3339),
		})},
		Rows: []store.Row{
			{Key: store.Key{Kind: boxKind, ID: name}, Project: of.Project, At: now, Body: sealedBody(box)},
			{Key: store.Key{Kind: traceKind, ID: name}, Project: of.Project, Parent: root, At: now, Body: sealedBody(trace)},
		},
	})
	if err != nil {
		return Handover{}, err
	}
	return h, nil
}

// trace is how runs below root record a text that is sealed.
func (d *Desk) trace(root string, v secret.Value) ([]byte, error) {
	sealer, _ := d.cfg.Key.For(root)
	x, err := expr.Enclose(v.Reveal(), false, sealer)
	return x.Sealed, err
}

// of gives the row of a run, and the outermost run.
func (d *Desk) of(ctx context.Context, name string) (store.Row, string, error) {
	page, err := d.cfg.Engine.Rows(ctx, store.Filter{Kind: "run", ID: name, Limit: 1})
	if err != nil {
		return store.Row{}, "", err
	}
	if len(page.Rows) == 0 {
		return store.Row{}, "", fault.New(fault.NotFound, "there is no run %s", name)
	}
	var r engine.RunRow
	if err := json.Unmarshal(page.Rows[0].Body, &r); err != nil {
		return store.Row{}, "", fault.Wrap(fault.Damaged, err, "read run %s", name)
	}
	return page.Rows[0], cmp.Or(r.Cause.Root, name), nil
}

// sealedBody is the body of a row with something encrypted.
func sealedBody(b []byte) []byte {
	body, _ := json.Marshal(map[string][]byte{"sealed": b}) // bytes always encode
	return body
}

// write writes the row of h with the rest of a batch.
func (d *Desk) write(ctx context.Context, h Handover, like store.Row, b ledger.Batch) error {
	body, err := json.Marshal(h)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encode a handover")
	}
	row := store.Row{
		Key: store.Key{Kind: Kind, ID: h.ID}, Project: like.Project, Status: string(h.Status), Name: h.Title, Parent: h.Run, Tag: Tag(h.To), At: h.At,
		Labels: like.Labels, Body: body,
	}
	if h.Status == Pending {
		row.Due = h.Expires
	}
	b.Rows = append(b.Rows, row)
	return d.cfg.Ledger.Append(ctx, b)
}

// find reads one; nil when there is none.
func (d *Desk) find(ctx context.Context, name string) (*Handover, store.Row, error) {
	page, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: Kind, ID: name, Limit: 1})
	if err != nil || len(page.Rows) == 0 {
		return nil, store.Row{}, err
	}
	h, err := From(page.Rows[0])
	return &h, page.Rows[0], err
}

// From reads the body of a row.
func From(r store.Row) (Handover, error) {
	var h Handover
	if err := json.Unmarshal(r.Body, &h); err != nil {
		return h, fault.Wrap(fault.Damaged, err, "read handover %s", r.ID)
	}
	return h, nil
}

// For lists what is or was for somebody, newest first.
func (d *Desk) For(ctx context.Context, principal string) ([]Handover, error) {
	page, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: Kind, Tag: Tag(principal), Limit: 200})
	if err != nil {
		return nil, err
	}
	out := make([]Handover, len(page.Rows))
	for i := range page.Rows {
		if out[i], err = From(page.Rows[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Find gives one.
func (d *Desk) Find(ctx context.Context, name string) (Handover, store.Row, error) {
	h, row, err := d.find(ctx, name)
	if err == nil && h == nil {
		err = missing(name)
	}
	if err != nil {
		return Handover{}, row, err
	}
	return *h, row, nil
}

func missing(name string) error {
	return fault.New(fault.NotFound, "nothing called %.80q is handed over to you", name).WithNext("tend handovers list")
}

// Take gives what is handed over to the person whom it is for, once. That it was taken is durable before. Whether they may is
// asked before, see access.Take; for anybody else it is not there.
func (d *Desk) Take(ctx context.Context, name string, by access.Principal) (secret.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, row, err := d.find(ctx, name)
	switch {
	case err != nil:
		return secret.Value{}, err
	case h == nil || h.To != by.ID:
		return secret.Value{}, missing(name)
	case h.Status != Pending:
		return secret.Value{}, over(h)
	case !d.cfg.Now().Before(h.Expires):
		if err := d.end(ctx, *h, row, Expired, entry.Who{ID: "tend", Name: "tend", Via: "engine"}, ""); err != nil {
			return secret.Value{}, err
		}
		h.Status, h.Ended = Expired, h.Expires
		return secret.Value{}, over(h)
	}
	text, err := d.open(ctx, name)
	if err != nil {
		return secret.Value{}, err
	}
	return text, d.end(ctx, *h, row, Taken, who(by), "")
}

// over says why there is nothing to take.
func over(h *Handover) error {
	f := fault.New(fault.Conflict, "%s is over: it was %s at %s", h.ID, h.Status, h.Ended.Format(time.RFC3339))
	if h.Status == Taken {
		return f.WithNext("it is handed over once; if that was not you, tell the people who run this server: the audit trail says from where")
	}
	return f.WithNext("ask for a new one")
}

func who(p access.Principal) entry.Who {
	return entry.Who{ID: p.ID, Name: cmp.Or(p.Name, p.ID), Via: p.Via, From: p.From}
}

// open decrypts what waits.
func (d *Desk) open(ctx context.Context, name string) (secret.Value, error) {
	lost := fault.New(fault.NotFound, "what was handed over as %s cannot be opened: its key is not in this data directory", name).
		WithNext("keys are in no backup, on purpose: ask for a new one")
	if _, err := os.Stat(filepath.Join(d.cfg.Dir, name, seal.File)); err != nil {
		return secret.Value{}, lost
	}
	key, err := seal.Open(filepath.Join(d.cfg.Dir, name))
	if err != nil {
		return secret.Value{}, err
	}
	box, err := d.sealed(ctx, boxKind, name)
	if err != nil {
		return secret.Value{}, err
	}
	plain, err := key.Open(name, box)
	if err != nil {
		return secret.Value{}, lost
	}
	return secret.New(string(plain)), nil
}

func (d *Desk) sealed(ctx context.Context, kind, name string) ([]byte, error) {
	page, err := d.cfg.Ledger.Rows(ctx, store.Filter{Kind: kind, ID: name, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Rows) == 0 {
		return nil, fault.New(fault.Damaged, "%s %s is missing", kind, name)
	}
	var body struct {
		Sealed []byte `json:"sealed"`
	}
	if err := json.Unmarshal(page.Rows[0].Body, &body); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read %s %s", kind, name)
	}
	return body.Sealed, nil
}

// end makes it durable that nothing waits any more, and destroys the key.
func (d *Desk) end(ctx context.Context, h Handover, row store.Row, s Status, by entry.Who, why string) error {
	h.Status, h.Ended = s, d.cfg.Now().UTC().Truncate(time.Microsecond)
	if s != Expired {
		h.By = by.ID
	}
	err := d.write(ctx, h, row, ledger.Batch{
		Facts:  []ledger.Fact{ledger.Audit(by, "handover-"+string(s), h.ID, why, map[string]any{"to": h.To, "run": h.Run})},
		Delete: []store.Key{{Kind: boxKind, ID: h.ID}},
	})
	if err != nil {
		return err
	}
	if err := d.destroy(h.ID); err != nil {
		d.cfg.Log.Error("the key of a handover could not be destroyed; it is tried again at the next start", "handover", h.ID, "error", err)
	}
	d.Look()
	return nil
}

// Withdraw takes back what nobody has taken yet: it was for somebody else.
func (d *Desk) Withdraw(ctx context.Context, name string, by access.Principal, why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, row, err := d.find(ctx, name)
	switch {
	case err != nil:
		return err
	case h == nil:
		return missing(name)
	case h.Status != Pending:
		return over(h)
	}
	return d.end(ctx, *h, row, Withdrawn, who(by), why)
}

// destroy overwrites a key and removes it.
func (d *Desk) destroy(name string) error {
	dir := filepath.Join(d.cfg.Dir, name)
	file := filepath.Join(dir, seal.File)
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(strings.Repeat("0", 2*seal.Size))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// Look has what is over looked at soon: a run ended, perhaps one that handed something over.
func (d *Desk) Look() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// every is how often it is looked for what is over.
const every = time.Minute

// Run lets expire what nobody took, and erases from ended runs what was handed over, until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := d.Sweep(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("look for handovers that are over", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.wake:
		}
	}
}

// Sweep does once what is due.
func (d *Desk) Sweep(ctx context.Context) error {
	return errors.Join(d.expire(ctx), d.erase(ctx))
}

func (d *Desk) expire(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cfg.Ledger.Each(ctx, store.Filter{Kind: Kind, Status: []string{string(Pending)}, DueBy: d.cfg.Now()}, func(row store.Row) error {
		h, err := From(row)
		if err != nil {
			return err
		}
		return d.end(ctx, h, row, Expired, entry.Who{ID: "tend", Name: "tend", Via: "engine"}, "nobody took it in time")
	})
}

// erase removes from the records of ended runs what does not wait any more.
func (d *Desk) erase(ctx context.Context) error {
	var names []string
	err := d.cfg.Ledger.Each(ctx, store.Filter{Kind: traceKind}, func(row store.Row) error {
		names = append(names, row.ID)
		return nil
	})
	if err != nil {
		return err
	}
	var problems []error
	for _, name := range names {
		problems = append(problems, d.eraseOne(ctx, name))
	}
	return errors.Join(problems...)
}

func (d *Desk) eraseOne(ctx context.Context, name string) error {
	h, row, err := d.find(ctx, name)
	if err != nil || h == nil || h.Status == Pending {
		return err
	}
	done := func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		h.Erased = true
		return d.write(ctx, *h, row, ledger.Batch{Delete: []store.Key{{Kind: traceKind, ID: name}}})
	}
	top, _, err := d.of(ctx, h.Root)
	switch {
	case fault.Is(err, fault.NotFound):
		return done() // the run is forgotten
	case err != nil:
		return err
	case !run.Status(top.Status).Ended():
		return nil
	}
	trace, err := d.sealed(ctx, traceKind, name)
	if err != nil {
		return err
	}
	// Bytes are encoded as everywhere in entries.
	text, err := json.Marshal(trace)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encode a handover")
	}
	by := entry.Who{ID: "tend", Name: "tend", Via: "engine"}
	if _, err := d.cfg.Engine.Do(ctx, engine.Command{Verb: engine.Redact, Run: h.Root, Text: strings.Trim(string(text), `"`), By: by, Why: name + " is " + string(h.Status)}); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "erase %s from run %s", name, h.Root)
	}
	return done()
}
