package app

import (
	"os"
	"runtime/debug"
)

// collect is the garbage collector's percentage. What lives for long is small (some MB; some hundred bytes for each run that
// waits), and what is thrown away lived for one commit: to collect less often costs little memory and saves a tenth of the
// work of each step.
const collect = 400

// Tune sets up the process, once, before it does anything. Whoever sets GOGC knows better.
func Tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collect)
	}
}
