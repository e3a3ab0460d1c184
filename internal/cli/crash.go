package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tendhq/tend/internal/cli/frame"
)

// crashed says that tend has a bug and how to report it. The stack goes to a file: it helps whoever reads the report, and
// nobody else.
func crashed(w io.Writer, args []string, cause any, stack []byte) {
	_, _ = fmt.Fprintf(w, "tend: this is a bug in tend: %v\n", cause)
	_, _ = fmt.Fprint(w, "  Nothing that was recorded is lost: `tend runs list` shows where every run stands.\n")
	command := "tend"
	if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		command += " " + args[1]
	}
	f, err := os.CreateTemp("", "tend-bug-*.txt")
	if err == nil {
		_, err = fmt.Fprintf(f, "%s\n%s\n%v\n\n%s", command, frame.VersionLine(), cause, stack)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err == nil {
		_, _ = fmt.Fprintf(w, "  next: report it with the file %s at %s\n", f.Name(), reportAt)
		return
	}
	_, _ = fmt.Fprintf(w, "  next: report it with the output of `tend version` at %s\n", reportAt)
}

const reportAt = "https://github.com/tendhq/tend/issues"
