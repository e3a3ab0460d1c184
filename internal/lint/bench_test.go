package lint_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/lint"
)

// large is a playbook of 50 steps, every one with expressions of its own.
func large(n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: bench-%d, description: One of many.}\nparameters:\n", n)
	b.WriteString("  - {name: path, type: string}\n  - {name: limit, type: number, default: 800}\nsteps:\n")
	for i := range 25 {
		fmt.Fprintf(&b, `  - id: usage_%[1]d
    uses: shell
    effect: read
    env: {DIR: '{{ $.params.path }}/%[2]d/%[1]d'}
    with:
      script: du -sm "$DIR" | cut -f1
      parse: number
    timeout: 30s
  - id: clean_%[1]d
    when: steps.usage_%[1]d.value > params.limit + %[2]d
    uses: shell
    effect: idempotent
    env: {DIR: '{{ $.params.path }}', BEFORE: '{{ $.steps.usage_%[1]d.value }}'}
    with:
      script: |
        find "$DIR" -name '*.gz' -mmin +60 -print -delete
      parse: lines
    target: 'path:{{ $.params.path }}'
    retry: {attempts: 3, backoff: 2s}
    verify:
      uses: shell
      env: {DIR: '{{ $.params.path }}'}
      with: {script: 'du -sm "$DIR" | cut -f1', parse: number}
      until: result.value < params.limit
      within: 1m
`, i, n)
	}
	return []byte(b.String())
}

// BenchmarkLint reads, compiles and checks 1,000 playbooks of 50 steps on all cores, none like another.
func BenchmarkLint(b *testing.B) {
	files := make([][]byte, 1000)
	for i := range files {
		files[i] = large(i)
	}
	catalog := newCatalog(b)
	for b.Loop() {
		l := lint.New(catalog, nil)
		var wg sync.WaitGroup
		next := make(chan int)
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for i := range next {
					if r := l.File("x.yaml", files[i]); document.HasErrors(r.Findings) {
						b.Error(r.Findings)
					}
				}
			})
		}
		for i := range files {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/1000-playbooks")
}
