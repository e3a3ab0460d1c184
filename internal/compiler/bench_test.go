package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/playbook"
)

// fifty is a playbook of 50 steps of ordinary size.
func fifty() []byte {
	var b strings.Builder
	b.WriteString("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: fifty, description: Fifty steps.}\nparameters:\n  - {name: path, type: string}\n  - {name: limit, type: number, default: 800}\nsteps:\n")
	for i := range 50 {
		fmt.Fprintf(&b, "  - id: step%d\n    when: params.limit > %d\n    uses: shell\n    effect: idempotent\n    env: {DIR: '{{ $.params.path }}'}\n    with: {script: 'find \"$DIR\" -name \"*.gz\" -print', parse: lines}\n    target: 'path:{{ $.params.path }}'\n    retry: {attempts: 3, backoff: 2s}\n", i, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	src := fifty()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, fs := playbook.Parse("fifty.yaml", src); len(fs) > 0 {
			b.Fatal(fs)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	docs, _ := playbook.Parse("fifty.yaml", fifty())
	c := newCatalog()
	b.ReportAllocs()
	for b.Loop() {
		if p, fs := compiler.Compile(docs[0], c, nil); p == nil {
			b.Fatal(fs)
		}
	}
}

func BenchmarkClosure(b *testing.B) {
	docs, _ := playbook.Parse("fifty.yaml", fifty())
	p, _ := compiler.Compile(docs[0], newCatalog(), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Closure(); err != nil {
			b.Fatal(err)
		}
	}
}
