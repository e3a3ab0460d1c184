// Package governor holds the rules that are live on a server: the guards of every project, modes, halts and overrides, and
// what is known of the world. It makes guard.Rules of them, and gives these to the engine and to dispatch whenever something
// changes.
//
// What a person changes is durable, with who and why, before it counts; a halt also counts when it cannot be written down,
// because stopping must work on the day on which nothing else does. A file named halt in the data directory halts
// everything for as long as it is there.
package governor

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/dispatch"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/store"
)

// Engine is what a governor asks of an engine.
type Engine interface {
	// Stop makes the halts of rules count at once, whatever else does not answer.
	Stop(ctx context.Context, r *guard.Rules) error
	// Govern makes rules live. After an error it is called again.
	Govern(ctx context.Context, r *guard.Rules) error
}

// Config of a Governor. Ledger is required.
type Config struct {
	Ledger *ledger.Ledger
	Mode   guard.Mode // of the server, until somebody sets another one. Default: observe
	File   string     // whose being there halts everything; "" for none
	// Labels gives the labels of a live playbook, for guards that select by them. nil: there are none.
	Labels func(project, playbook string) map[string]string
	Log    *slog.Logger
	Now    func() time.Time // default: time.Now
}

// Governor is safe for concurrent use. It implements dispatch.Gate.
type Governor struct {
	cfg     Config
	changed chan struct{}

	mu        sync.Mutex
	own       map[string][]guard.Spec // by project, as declared
	halts     map[string]guard.Halted
	settings  map[string]guard.Setting // by ID of the row
	overrides map[string]guard.Override
	changes   map[string]guard.Planned // by project and id
	world     guard.World
	counted   *guard.Counted // by starts and ends of runs
	most      int            // of counted, before what is over is forgotten
	rules     *guard.Rules
	serial    uint64
	engine    Engine // nil: nobody runs it yet
}

var _ dispatch.Gate = (*Governor)(nil)

// The rows of a governor.
const (
	rowHalt     = "halt"
	rowMode     = "mode"
	rowOverride = "override"
	rowChange   = "change"
	rowCount    = "start-count"
)

// minCounts is how much of what was counted is remembered without looking whether it still counts.
const minCounts = 1024

// fileHalt is the id of the halt by file.
const fileHalt = "file"

// Open reads what was there before.
func Open(ctx context.Context, c Config) (*Governor, error) {
	if c.Mode == "" {
		c.Mode = guard.ModeObserve
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &Governor{
		cfg: c, changed: make(chan struct{}, 1), own: map[string][]guard.Spec{}, halts: map[string]guard.Halted{},
		settings: map[string]guard.Setting{}, overrides: map[string]guard.Override{}, changes: map[string]guard.Planned{}, counted: new(guard.Counted), most: minCounts,
	}
	for kind, read := range map[string]func(id string, body []byte) error{
		rowHalt:     func(id string, b []byte) error { return into(b, id, g.halts) },
		rowMode:     func(id string, b []byte) error { return into(b, id, g.settings) },
		rowOverride: func(id string, b []byte) error { return into(b, id, g.overrides) },
		rowChange:   func(id string, b []byte) error { return into(b, id, g.changes) },
		rowCount: func(_ string, b []byte) error {
			var r guard.Reservation
			err := json.Unmarshal(b, &r)
			g.counted.Add(r)
			return err
		},
	} {
		err := c.Ledger.Each(ctx, store.Filter{Kind: kind}, func(r store.Row) error {
			return fault.Wrap(fault.Damaged, read(r.ID, r.Body), "read the %s %s", kind, r.ID)
		})
		if err != nil {
			return nil, err
		}
	}
	g.look()
	g.rebuild()
	return g, nil
}

func into[T any](b []byte, id string, m map[string]T) error {
	var v T
	err := json.Unmarshal(b, &v)
	m[id] = v
	return err
}

// rebuild makes rules of everything. It is called under mu, or before anybody else knows g.
func (g *Governor) rebuild() {
	now := g.cfg.Now()
	g.serial++
	r := &guard.Rules{Serial: g.serial, Guards: map[string][]guard.Spec{}, Modes: []guard.Setting{{Mode: g.cfg.Mode}}, World: g.world}
	for project, specs := range g.own {
		r.Guards[project] = guard.WithDefaults(specs)
	}
	if _, ok := r.Guards[home]; !ok {
		r.Guards[home] = guard.Defaults()
	}
	for _, k := range slices.Sorted(maps.Keys(g.halts)) {
		r.Halts = append(r.Halts, g.halts[k])
	}
	for _, k := range slices.Sorted(maps.Keys(g.settings)) {
		s := g.settings[k]
		if s.Project == "" && s.Environment == "" && s.Playbook == "" {
			r.Modes[0] = s // the server's own, in place of the configured one
			continue
		}
		r.Modes = append(r.Modes, s)
	}
	for _, k := range slices.Sorted(maps.Keys(g.overrides)) {
		if o := g.overrides[k]; now.Before(o.Until) {
			r.Overrides = append(r.Overrides, o)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(g.changes)) {
		if c := g.changes[k]; now.Before(c.To) {
			r.World.Changes = append(r.World.Changes, c)
		}
	}
	r.World.Runs = g.counted.Clone()
	b, err := json.Marshal(struct {
		G map[string][]guard.Spec
		M []guard.Setting
		H []guard.Halted
		O []guard.Override
		C []guard.Planned `json:",omitempty"`
	}{r.Guards, r.Modes, r.Halts, r.Overrides, r.World.Changes})
	if err == nil {
		sum := sha256.Sum256(b)
		r.Version = hex.EncodeToString(sum[:6])
	}
	g.rules = r
	g.tell()
}

// home is the project where nobody said another one.
const home = "default"

// Rules gives what is live. It is not to be changed.
func (g *Governor) Rules() *guard.Rules {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rules
}

// Run gives the rules to the engine, now and after every change, and watches the file and the ends of overrides. It also tells
// again, so that whoever was held by dispatch is asked about.
func (g *Governor) Run(ctx context.Context, e Engine, again func()) error {
	g.mu.Lock()
	g.engine = e
	g.mu.Unlock()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { g.watch(ctx) })
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.changed:
		}
		if err := e.Govern(ctx, g.Rules()); err != nil && ctx.Err() == nil {
			g.cfg.Log.Error("the engine could not be told what is live; its halts count, and it is told again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
				g.tell()
			}
		}
		if again != nil {
			again()
		}
	}
}

// watch looks at the file and at the ends of overrides, on a goroutine of its own: a halt by file must not wait for anybody
// who waits for the store.
func (g *Governor) watch(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g.mu.Lock()
		moved := g.look()
		file := moved
		for _, o := range g.rules.Overrides {
			moved = moved || !g.cfg.Now().Before(o.Until)
		}
		if moved {
			g.rebuild()
		}
		g.mu.Unlock()
		if file {
			g.stop(ctx)
		}
	}
}

// stopWithin bounds the wait for an engine to take a halt.
const stopWithin = 2 * time.Second

// stop makes the engine take the halts of now.
func (g *Governor) stop(ctx context.Context) {
	g.mu.Lock()
	e, r := g.engine, g.rules
	g.mu.Unlock()
	if e == nil {
		return // nothing begins before an engine knows any rules
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	if err := e.Stop(ctx, r); err != nil {
		g.cfg.Log.Error("the engine did not say that it stopped; nothing begins that it has not decided on", "error", err)
	}
}

// tell says that the engine has to be told what is live.
func (g *Governor) tell() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// look reads whether the file is there. It tells whether that changed.
func (g *Governor) look() bool {
	if g.cfg.File == "" {
		return false
	}
	_, was := g.halts[fileHalt]
	f, err := os.Open(g.cfg.File)
	if err != nil {
		if was && errors.Is(err, fs.ErrNotExist) {
			delete(g.halts, fileHalt)
			g.cfg.Log.Warn("the halt file is gone: what it stopped goes on", "file", g.cfg.File)
			return true
		}
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	if was {
		if f != nil {
			_ = f.Close()
		}
		return false
	}
	h := guard.Halted{ID: fileHalt, At: g.cfg.Now().UTC(), By: "whoever made " + g.cfg.File}
	if f != nil {
		b, _ := io.ReadAll(io.LimitReader(f, 500))
		_ = f.Close()
		h.Why = strings.ToValidUTF8(strings.TrimSpace(string(b)), "")
	}
	g.halts[fileHalt] = h
	g.cfg.Log.Warn("the halt file is there: no new effect begins", "file", g.cfg.File, "why", h.Why)
	return true
}

// SetGuards gives the declared guards of every project, as they are live in the repositories.
func (g *Governor) SetGuards(byProject map[string][]guard.Spec) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.own = byProject
	g.rebuild()
}

// Blind says that something that is expected is silent since a time, or is heard of again (the zero time). Guards of a project
// look at it, or those of all ("").
func (g *Governor) Blind(project, what string, since time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	old, was := g.world.Blind[what]
	if since.IsZero() && !was || was && old.Since.Equal(since) {
		return
	}
	blind := maps.Clone(g.world.Blind)
	if blind == nil {
		blind = map[string]guard.Silence{}
	}
	if since.IsZero() {
		delete(blind, what)
	} else {
		blind[what] = guard.Silence{Project: project, Since: since}
	}
	g.world.Blind = blind
	g.rebuild()
}

func newID(prefix string, now time.Time) (string, error) { return id.New(prefix, now, rand.Reader) }

// Halt stops everything within a scope: no new effect begins from when it answers. It counts even when it cannot be written
// down; the error says so then.
func (g *Governor) Halt(ctx context.Context, scope guard.Halted, by entry.Who, why string) (guard.Halted, error) {
	now := g.cfg.Now().UTC().Truncate(time.Microsecond)
	hid, err := newID("halt", now)
	if err != nil {
		return scope, err
	}
	scope.ID, scope.At, scope.By, scope.Why = hid, now, by.Name, why
	g.mu.Lock()
	g.halts[hid] = scope
	g.rebuild()
	g.mu.Unlock()
	g.stop(ctx) // before it is written down: that can take long
	if err := g.write(ctx, rowHalt, hid, scope, ledger.Audit(by, "halted", scope.Scope(), why, nil)); err != nil {
		return scope, fault.Wrap(fault.Unavailable, err, "%s is halted, but that could not be written down: it does not survive a restart", scope.Scope())
	}
	return scope, nil
}

// Unhalt ends a halt, or all of them (""), and says which.
func (g *Governor) Unhalt(ctx context.Context, haltID string, by entry.Who, why string) ([]guard.Halted, error) {
	g.mu.Lock()
	var gone []guard.Halted
	for _, k := range slices.Sorted(maps.Keys(g.halts)) {
		if k != fileHalt && (haltID == "" || k == haltID) {
			gone = append(gone, g.halts[k])
		}
	}
	_, file := g.halts[fileHalt]
	g.mu.Unlock()
	switch {
	case len(gone) == 0 && file:
		return nil, fault.New(fault.Conflict, "it is halted by the file %s", g.cfg.File).WithNext("remove the file")
	case len(gone) == 0 && haltID != "":
		return nil, fault.New(fault.NotFound, "there is no halt %q", haltID)
	case len(gone) == 0:
		return nil, fault.New(fault.Conflict, "nothing is halted")
	case strings.TrimSpace(why) == "":
		return nil, fault.New(fault.Invalid, "a reason is needed to let it go on").WithNext("--why '…'")
	}
	b := ledger.Batch{}
	for _, h := range gone {
		b.Facts = append(b.Facts, ledger.Audit(by, "unhalted", h.Scope(), why, map[string]any{"halt": h.ID}))
		b.Delete = append(b.Delete, store.Key{Kind: rowHalt, ID: h.ID})
	}
	if err := g.cfg.Ledger.Append(ctx, b); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range gone {
		delete(g.halts, h.ID)
	}
	g.rebuild()
	return gone, nil
}

// SetMode sets the mode of the server, a project, an environment or a playbook.
func (g *Governor) SetMode(ctx context.Context, s guard.Setting, by entry.Who, why string) error {
	switch s.Mode {
	case guard.ModeObserve, guard.ModeAsk, guard.ModeAuto:
	default:
		return fault.New(fault.Invalid, "there is no mode %q", string(s.Mode)).WithNext("write observe, ask or auto")
	}
	key := strings.Join([]string{s.Project, s.Environment, s.Playbook}, "/")
	what := ledger.Audit(by, "mode-set", scopeOf(s), why, map[string]any{"mode": string(s.Mode)})
	if err := g.write(ctx, rowMode, key, s, what); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings[key] = s
	g.rebuild()
	return nil
}

func scopeOf(s guard.Setting) string {
	return guard.Halted{Project: s.Project, Environment: s.Environment, Playbook: s.Playbook}.Scope()
}

// Longest is how long an override may last.
const Longest = 7 * 24 * time.Hour

// Override loosens a guard for a while.
func (g *Governor) Override(ctx context.Context, o guard.Override, by entry.Who) (guard.Override, error) {
	now := g.cfg.Now().UTC().Truncate(time.Microsecond)
	if o.Project == "" {
		o.Project = home
	}
	known := slices.ContainsFunc(g.Rules().Guards[o.Project], func(s guard.Spec) bool { return s.Name == o.Guard })
	switch {
	case !known:
		return o, fault.New(fault.NotFound, "the project %s has no guard %q", o.Project, o.Guard)
	case strings.TrimSpace(o.Why) == "":
		return o, fault.New(fault.Invalid, "a reason is needed to loosen a guard").WithNext("--why '…'")
	case !o.Until.After(now) || o.Until.After(now.Add(Longest)):
		return o, fault.New(fault.Invalid, "an override ends within %d days, not at %s", int(Longest.Hours()/24), o.Until.Format(time.RFC3339))
	}
	var err error
	if o.ID, err = newID("ovr", now); err != nil {
		return o, err
	}
	o.By = by.Name
	detail := map[string]any{"until": o.Until.Format(time.RFC3339), "playbook": o.Playbook}
	if err := g.write(ctx, rowOverride, o.ID, o, ledger.Audit(by, "guard-overridden", o.Guard, o.Why, detail)); err != nil {
		return o, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.overrides[o.ID] = o
	g.rebuild()
	return o, nil
}

// EndOverride ends an override before its time.
func (g *Governor) EndOverride(ctx context.Context, overrideID string, by entry.Who, why string) error {
	g.mu.Lock()
	o, ok := g.overrides[overrideID]
	g.mu.Unlock()
	if !ok {
		return fault.New(fault.NotFound, "there is no override %q", overrideID)
	}
	if err := g.cfg.Ledger.Append(ctx, ledger.Batch{
		Facts:  []ledger.Fact{ledger.Audit(by, "override-ended", o.Guard, why, map[string]any{"override": o.ID})},
		Delete: []store.Key{{Kind: rowOverride, ID: o.ID}},
	}); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.overrides, overrideID)
	g.rebuild()
	return nil
}

func (g *Governor) write(ctx context.Context, kind, rowID string, v any, facts ...ledger.Fact) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return g.cfg.Ledger.Append(ctx, ledger.Batch{Facts: facts, Rows: []store.Row{{
		Key: store.Key{Kind: kind, ID: rowID}, Project: home, Status: "live", At: g.cfg.Now(), Body: body,
	}}})
}

// Seen implements dispatch.Gate.
func (g *Governor) Seen(c dispatch.Candidate, now time.Time) dispatch.Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keep(g.rules.Seen(g.counted, g.about(c), now), nil, now)
}

// Start implements dispatch.Gate.
func (g *Governor) Start(c dispatch.Candidate, now time.Time) dispatch.Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.rules.Start(g.counted, g.about(c), now)
	if c.Again && v.Kind != guard.Allow {
		v.Reserve = nil
	}
	out := g.keep(v.Reserve, nil, now)
	out.Guard, out.Why, out.Until = v.Guard, v.Why, v.Until
	switch v.Kind {
	case guard.Allow:
		out.Outcome = event.Started
	case guard.Hold:
		out.Outcome = event.Held
	case guard.Ask, guard.Deny, guard.Observe:
		out.Outcome = event.Refused
	}
	return out
}

// Ended implements dispatch.Gate.
func (g *Governor) Ended(c dispatch.Candidate, status string, now time.Time) dispatch.Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := guard.End{Start: g.about(c), Failed: status == "failed" || status == "in-doubt"}
	if status != "succeeded" && !e.Failed {
		e.Key = "" // cancelled or not begun: it proves nothing about the repair
	}
	more, less := g.rules.Ended(g.counted, e, now)
	return g.keep(more, less, now)
}

func (g *Governor) about(c dispatch.Candidate) guard.Start {
	s := guard.Start{Project: c.Project, Environment: c.Environment, Playbook: c.Playbook, Run: c.Run, Key: c.Key, Alarm: c.Labels["alertname"], Group: c.Group, About: c.Labels}
	if s.Alarm == "" {
		s.Alarm = c.Trigger
	}
	if g.cfg.Labels != nil {
		s.Labels = g.cfg.Labels(c.Project, c.Playbook)
	}
	return s
}

// keep counts and gives the rows that say so, for the commit of the decision.
func (g *Governor) keep(more, less []guard.Reservation, now time.Time) dispatch.Verdict {
	var out dispatch.Verdict
	tells := false
	for _, r := range more {
		// In a storm one repair comes back many times, and there is always one alarm more.
		tells = tells || r.Kind == guard.Failed && !g.counted.Has(r) || r.Kind == guard.Down
		g.counted.Add(r)
		body, err := json.Marshal(r)
		if err != nil {
			continue
		}
		out.Rows = append(out.Rows, store.Row{
			Key: store.Key{Kind: rowCount, ID: r.ID()}, Project: home, Name: r.Guard, Parent: r.Root, At: now, Due: r.Until, Body: body,
		})
	}
	for _, r := range less {
		g.counted.Drop(r)
		r.Until = now // what is read back is over
		if body, err := json.Marshal(r); err == nil {
			out.Rows = append(out.Rows, store.Row{Key: store.Key{Kind: rowCount, ID: r.ID()}, Project: home, Name: r.Guard, Parent: r.Root, At: now, Due: now, Body: body})
		}
	}
	if g.counted.Len() > g.most {
		for _, x := range g.counted.Forget(now) {
			out.Drop = append(out.Drop, store.Key{Kind: rowCount, ID: x.ID()})
		}
		g.most = max(minCounts, 2*g.counted.Len())
	}
	if tells {
		g.rebuild() // breakers and who stands down hold effects of runs that go on, too
	}
	return out
}
