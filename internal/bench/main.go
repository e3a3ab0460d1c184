// Command bench measures tend: lines `name value unit`, each beside the limit of the machine that it is measured against.
//
// Absolute numbers depend on the machine and its neighbours; the ratios are what to trust. docs/benchmarks.md keeps the
// numbers of one machine and says where the time goes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/tendhq/tend/internal/app"
)

// measure is one part of the programme.
type measure struct {
	name string
	run  func(context.Context, *report) error
}

func main() {
	only := flag.String("only", "", "run only the measures whose name contains this")
	runs := flag.Int("runs", 1_000_000, "how many finished runs `lists` looks at")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the measures")
	flag.Parse()
	app.Tune() // as tend does
	stop, err := profiled(*profile)
	if err != nil {
		fail(err)
	}
	defer stop()
	r := &report{out: os.Stdout, runs: *runs}
	for _, m := range []measure{
		{"durable", durable},
		{"serial", serial},
		{"parked", parked},
		{"loop", loop},
		{"lint", lints},
		{"command", command},
		{"events", events},
		{"halt", halts},
		{"server", server},
		{"lists", lists},
	} {
		if !strings.Contains(m.name, *only) {
			continue
		}
		if err := m.run(context.Background(), r); err != nil {
			stop()
			fail(fmt.Errorf("%s: %w", m.name, err))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}
