package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"
)

// report prints lines `name value unit`.
type report struct {
	out  io.Writer
	runs int // how many finished runs lists looks at
}

func (r *report) line(name string, v float64, unit string) {
	format := "%-32s %12.2f %s\n"
	if v >= 1000 {
		format = "%-32s %12.0f %s\n"
	}
	fmt.Fprintf(r.out, format, name, v, unit)
}

func (r *report) ms(name string, d time.Duration) {
	r.line(name, float64(d.Microseconds())/1000, "ms")
}

// quantile of durations, which it sorts.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(int(q*float64(len(ds))), len(ds)-1)]
}

func profiled(name string) (func(), error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
