package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const noopStep = "  - {uses: noop, with: {script: 'true'}}\n"

// durable: 64 runs at a time of five steps, against bare group commits in turn, so that a drifting machine shows in both.
func durable(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	h, err := open(ctx, where, false)
	if err != nil {
		return err
	}
	raw, err := openRaw(ctx, where)
	if err != nil {
		return err
	}
	p, err := h.compile("steps:\n" + strings.Repeat(noopStep, 5))
	if err != nil {
		return err
	}
	if _, err := h.burst(func() error { return h.once(ctx, p) }, time.Second); err != nil {
		return err
	}
	before, err := h.store.Identity(ctx)
	if err != nil {
		return err
	}
	var runs int
	var took time.Duration
	var rates []float64
	h.hands.steps = nil
	for range 3 {
		rate, err := raw.grouped(ctx, 2*time.Second)
		if err != nil {
			return err
		}
		rates = append(rates, rate)
		start := time.Now()
		n, err := h.burst(func() error { return h.once(ctx, p) }, 3*time.Second)
		if err != nil {
			return err
		}
		runs, took = runs+n, took+time.Since(start)
	}
	after, err := h.store.Identity(ctx)
	if err != nil {
		return err
	}
	rawRate := (rates[0] + rates[1] + rates[2]) / 3
	steps := float64(5*runs) / took.Seconds()
	r.line("durable_steps_per_s", steps, "1/s")
	r.line("raw_commits_per_s", rawRate, "1/s")
	r.line("durable_to_raw_ratio", steps/rawRate, "")
	r.ms("step_p50_ms", quantile(h.hands.steps, 0.5))
	r.ms("step_p99_ms", quantile(h.hands.steps, 0.99))
	r.line("commits_per_run", float64(after.Index-before.Index)/float64(runs), "")
	if err := h.verify(ctx, r, runs); err != nil {
		return err
	}
	if err := raw.close(); err != nil {
		return err
	}
	return h.close(ctx)
}

// once starts a run and waits for its end.
func (h *house) once(ctx context.Context, p programOf) error {
	id, err := h.start(ctx, p)
	if err != nil {
		return err
	}
	st, err := h.engine.Wait(ctx, id)
	if err == nil && st != "succeeded" {
		err = fmt.Errorf("run %s is %s", id, st)
	}
	return err
}

// burst lets the callers work for a time and counts.
func (h *house) burst(do func() error, d time.Duration) (int, error) {
	var n atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	until := time.Now().Add(d)
	for range callers {
		all.Go(func() {
			for time.Now().Before(until) && failed.Load() == nil {
				if err := do(); err != nil {
					failed.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return int(n.Load()), nil
}

// verify checks every chain and counts entries.
func (h *house) verify(ctx context.Context, r *report, runs int) error {
	streams, entries, damaged, err := h.store.Verify(ctx)
	if err != nil {
		return err
	}
	if len(damaged) > 0 {
		return fmt.Errorf("%d streams are damaged: %w", len(damaged), damaged[0])
	}
	r.line("verified_streams", float64(streams), "")
	r.line("verified_entries", float64(entries), "")
	if runs > 0 && entries < 11*runs {
		return fmt.Errorf("%d entries for %d runs are fewer than 11 each", entries, runs)
	}
	return nil
}

// serial: one run, its steps one after the other, against bare serial commits.
func serial(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	h, err := open(ctx, where, false)
	if err != nil {
		return err
	}
	raw, err := openRaw(ctx, where)
	if err != nil {
		return err
	}
	const steps = 1000
	p, err := h.compile("steps:\n" + strings.Repeat(noopStep, steps))
	if err != nil {
		return err
	}
	if err := h.once(ctx, p); err != nil {
		return err
	}
	var rawRate, rate float64
	const rounds = 3
	for range rounds {
		x, err := raw.serial(ctx, time.Second)
		if err != nil {
			return err
		}
		rawRate += x / rounds
		start := time.Now()
		if err := h.once(ctx, p); err != nil {
			return err
		}
		rate += steps / time.Since(start).Seconds() / rounds
	}
	r.line("serial_steps_per_s", rate, "1/s")
	r.line("raw_serial_commits_per_s", rawRate, "1/s")
	r.line("serial_to_raw_ratio", rate/rawRate, "")
	if err := raw.close(); err != nil {
		return err
	}
	return h.close(ctx)
}

// loop: a run of 100,000 iterations in bounded memory.
func loop(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	h, err := open(ctx, where, false)
	if err != nil {
		return err
	}
	p, err := h.compile("steps:\n  - foreach: {range: [0, 100000], value: i, parallel: 16, steps: [{id: s, uses: noop, with: {script: '{{ $.i }}'}}]}\n")
	if err != nil {
		return err
	}
	before := heap()
	start := time.Now()
	if err := h.once(ctx, p); err != nil {
		return err
	}
	r.line("loop_iterations_per_s", 100000/time.Since(start).Seconds(), "1/s")
	r.line("loop_memory_growth_mib", max(0, float64(heap())-float64(before))/(1<<20), "MiB")
	return h.close(ctx)
}
