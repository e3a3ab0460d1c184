package expr_test

import (
	"fmt"
	"testing"

	"github.com/tendhq/tend/internal/expr"
)

// sources are n different scalars as they stand in playbooks: four templates to one condition.
func sources(n int) []expr.Expr {
	out := make([]expr.Expr, n)
	for i := range out {
		switch i % 5 {
		case 0:
			out[i] = logic(fmt.Sprintf("steps.check%d.value > params.limit && has(params.x)", i))
		case 1:
			out[i] = tmpl(fmt.Sprintf("{{ $.params.p%d }}", i))
		case 2:
			out[i] = tmpl(fmt.Sprintf("Host {{ .params.host }} has {{ len $.steps.s%d.rows }} rows, the first {{ $.steps.a.rows[0].n | quote }}", i))
		case 3:
			out[i] = tmpl(fmt.Sprintf("None{{ range $.steps.s%d.rows }},{{ .pid }}{{ end }}", i))
		default:
			out[i] = tmpl(fmt.Sprintf("{{ if and (gt (len $.a%d) 0) (ne $.b[0] \"None\") }}{{ secret .params.key }}{{ else }}x{{ end }}", i))
		}
	}
	return out
}

// BenchmarkUses is what lint pays: 50,000 different scalars, on one core.
func BenchmarkUses(b *testing.B) {
	all := sources(50_000)
	for b.Loop() {
		v := expr.New(expr.Limits{})
		for _, e := range all {
			if _, err := v.Uses(e, expr.Strict); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(all)), "µs/scalar")
}

// BenchmarkFirst is what a short `tend run` pays for its first condition: making CEL's environment is in it.
func BenchmarkFirst(b *testing.B) {
	s := scope(expr.Strict)
	for b.Loop() {
		if ok, err := expr.New(expr.Limits{}).Truth(logic("params.n > 2"), s); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkTemplate(b *testing.B) {
	v, s := expr.New(expr.Limits{}), scope(expr.Strict)
	e := tmpl("Host {{ .params.host }} has {{ len $.steps.a.rows }} rows, the first {{ $.steps.a.rows[0].n | quote }}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Value(e, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogic(b *testing.B) {
	v, s := expr.New(expr.Limits{}), scope(expr.Strict)
	e := logic("params.n > 2 && steps.a.rows.exists(r, r.n == 'x')")
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := v.Truth(e, s); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
