package entry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/entry"
)

func BenchmarkSeal(b *testing.B) {
	e, err := entry.New(time.Unix(0, 0), &entry.StepSkipped{Path: "steps[0]", Why: strings.Repeat("x", 450)})
	if err != nil {
		b.Fatal(err)
	}
	e.Stream = "run/run_00000000000000000000"
	b.ReportAllocs()
	for b.Loop() {
		e.Seal()
	}
}

func BenchmarkDecode(b *testing.B) {
	e := chain(b, 1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := entry.Decode(e); err != nil {
			b.Fatal(err)
		}
	}
}
