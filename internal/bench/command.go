package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/lint"
)

// lints: 1,000 playbooks of 50 steps, read, checked and compiled on all processors.
func lints(ctx context.Context, r *report) error {
	set, err := app.Actions()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: NAME, description: Fifty steps.}\nparameters:\n  - {name: dir, type: string}\nsteps:\n")
	for i := range 50 {
		fmt.Fprintf(&b, "  - id: s%d\n    uses: shell\n    effect: read\n", i)
		if i > 0 {
			fmt.Fprintf(&b, "    when: steps.s%d.exitCode == 0\n", 0)
		}
		fmt.Fprintf(&b, "    env: {DIR: '{{ $.params.dir }}', N: '%d'}\n    with: {script: 'du -sm \"$DIR\" | cut -f1', parse: number}\n    timeout: 1m\n", i)
	}
	text := b.String()
	const n = 1000
	linter := lint.New(set, nil)
	start := time.Now()
	work := make(chan int)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for i := range work {
				src := strings.Replace(text, "NAME", fmt.Sprintf("p%d", i), 1)
				linter.File(fmt.Sprintf("p%d.yaml", i), []byte(src))
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
	r.ms("lint_1000x50_ms", time.Since(start))
	return ctx.Err()
}

// command: the binary itself, as a person starts it.
func command(ctx context.Context, r *report) error {
	where, remove, err := temporary()
	if err != nil {
		return err
	}
	defer remove()
	bin, err := buildTend(ctx, where)
	if err != nil {
		return err
	}
	book := filepath.Join(where, "one.yaml")
	if err := os.WriteFile(book, []byte("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: one}\nsteps:\n  - {uses: shell, effect: read, with: {script: 'true'}}\n"), 0o600); err != nil {
		return err
	}
	data := filepath.Join(where, "data")
	for _, c := range []struct {
		name string
		args []string
	}{
		{"version_ms", []string{bin, "version"}},
		{"run_one_step_ms", []string{bin, "--data-dir", data, "run", book}},
		{"bash_true_ms", []string{"bash", "-c", "true"}},
	} {
		var ds []time.Duration
		for range 15 {
			start := time.Now()
			if out, err := exec.CommandContext(ctx, c.args[0], c.args[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w: %s", strings.Join(c.args, " "), err, out)
			}
			ds = append(ds, time.Since(start))
		}
		r.ms(c.name, quantile(ds, 0.5))
	}
	return nil
}
