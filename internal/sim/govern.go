package sim

import (
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/guard"
)

// A server's rules come from outside of the machine: they change at any moment, a process learns of them a while after it
// began, and until then nothing but reads may begin.

// rules are what the world has decided: halted, or not.
func (w *world) rules() *guard.Rules {
	r := &guard.Rules{Modes: []guard.Setting{{Mode: guard.ModeAuto}}, Version: fmt.Sprint("v", w.events)}
	if w.halted {
		r.Halts = []guard.Halted{{ID: "halt_1", By: "ops", At: w.now}}
	}
	return r
}

// govern tells the process what is live.
func (w *world) govern(p *process) {
	if w.p != p || !p.alive {
		return
	}
	p.told, p.halted = true, w.halted
	w.feed(engine.Governed{Rules: w.rules()})
	for _, r := range w.rows("run") {
		if w.p == p && p.alive && r.Status == "waiting" {
			w.feed(engine.Reconsider{Run: r.ID})
		}
	}
}

// learns lets a process that begins learn of the rules after a while.
func (w *world) learns(p *process) {
	if w.o.Govern > 0 {
		w.after(time.Duration(w.rng.IntN(2000))*time.Millisecond, "rules", func() error { w.govern(p); return nil })
	}
}

// turn halts the world, or lets it go on.
func (w *world) turn() {
	w.halted = !w.halted
	w.turns++
	if w.p != nil {
		w.govern(w.p)
	}
}

// begins checks that an effect may begin by what its process was told (I12).
func (w *world) begins(p *process, x engine.Act) error {
	if w.o.Govern == 0 || x.Intent.Effect == string(contract.Read) {
		return nil
	}
	switch {
	case !p.told:
		return fmt.Errorf("I12: %s %s began before anybody said what is halted", x.Run, x.Path)
	case p.halted:
		return fmt.Errorf("I12: %s %s began while everything was halted", x.Run, x.Path)
	}
	return nil
}
