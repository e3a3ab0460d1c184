package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/store"
)

type programOf = *program.Program

// parked: 100,000 runs that wait for people and timers: memory while they do, and how soon the first step begins after a
// restart.
func parked(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	h, err := open(ctx, where, true)
	if err != nil {
		return err
	}
	task, err := h.compile("steps:\n  - {uses: manual, with: {title: look, within: 24h}}\n" + noopStep)
	if err != nil {
		return err
	}
	timer, err := h.compile("steps:\n  - {uses: wait, with: {duration: 24h}}\n" + noopStep)
	if err != nil {
		return err
	}
	soon, err := h.compile("steps:\n  - {uses: wait, with: {duration: 500ms}}\n" + noopStep)
	if err != nil {
		return err
	}
	const runs = 100_000
	before := heap()
	var n atomic.Int64
	start := time.Now()
	if _, err := h.burst(func() error {
		for i := n.Add(1); i <= runs; i = n.Add(1) {
			p := task
			if i%2 == 0 {
				p = timer
			}
			if _, err := h.start(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}, time.Millisecond); err != nil {
		return err
	}
	r.line("parked_starts_per_s", runs/time.Since(start).Seconds(), "1/s")
	if err := h.settle(ctx); err != nil {
		return err
	}
	r.line("parked_bytes_per_run", max(0, float64(heap())-float64(before))/runs, "B")
	last, err := h.start(ctx, soon)
	if err != nil {
		return err
	}
	if err := h.close(ctx); err != nil {
		return err
	}
	start = time.Now()
	if h, err = open(ctx, where, true); err != nil {
		return err
	}
	for {
		st, err := h.engine.Wait(ctx, last)
		if err != nil {
			return err
		}
		if st == "succeeded" {
			break
		}
		if time.Since(start) > time.Minute {
			return fmt.Errorf("run %s is %s a minute after the restart", last, st)
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.ms("restart_to_first_step_ms", time.Since(start))
	r.line("restarted_bytes_per_run", max(0, float64(heap())-float64(before))/runs, "B")
	return h.close(ctx)
}

// settle waits until nothing is under way.
func (h *house) settle(ctx context.Context) error {
	for {
		p, err := h.store.Rows(ctx, store.Filter{Kind: "run", Status: []string{"pending", "running"}, Limit: 1})
		if err != nil {
			return err
		}
		if len(p.Rows) == 0 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}
