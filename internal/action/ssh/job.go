package ssh

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
)

// maxScript bounds what is sent to a shell, in bytes: it reads its script line by line into a variable.
const maxScript = 256 << 10

// job is what to run, the same on every host.
type job struct {
	shell string // "", bash or sh
	text  string // a complete shell script
	stdin []byte // nil: nothing
	codes []int64
}

// job builds the script that the remote shell evaluates: the environment first, then what the document says.
func (in inputs) job(req action.Request) (job, error) {
	j := job{shell: in.Shell, codes: in.ExitCodes}
	if j.codes == nil {
		j.codes = []int64{0}
	}
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	var body string
	given := 0
	for _, t := range []action.Text{in.Command, in.Script} {
		if strings.TrimSpace(t.Reveal()) != "" {
			given++
			body = t.Reveal()
		}
	}
	if len(in.Argv) > 0 {
		given++
		words := make([]string, len(in.Argv))
		for i, a := range in.Argv {
			words[i] = quote(a.Reveal())
		}
		body = "exec " + strings.Join(words, " ")
	}
	if given != 1 {
		bad("inputs command, script and argv: give one of them")
	}
	if in.Shell != "" && in.Shell != "bash" && in.Shell != "sh" {
		bad("input shell: %.40q is neither bash nor sh", in.Shell)
	}
	env, err := environment(req)
	if err != nil {
		problems = append(problems, err)
	}
	j.text = env
	if in.Stdin == nil {
		j.text += "exec </dev/null\n"
	} else {
		j.stdin = []byte(in.Stdin.Reveal())
	}
	j.text += body
	if !strings.HasSuffix(j.text, "\n") {
		j.text += "\n"
	}
	switch {
	case strings.ContainsRune(j.text, 0):
		bad("the script, an argument or a variable has a NUL byte, which no shell can read")
	case len(j.text) > maxScript:
		bad("the script and its environment have %d bytes, and at most %d can be sent; use stdin for data", len(j.text), maxScript)
	}
	return j, errors.Join(problems...)
}

// environment exports the step's variables. Servers refuse variables that come by the protocol.
func environment(req action.Request) (string, error) {
	all := map[string]string{"TEND_RUN": req.Run, "TEND_STEP": req.Step, "TEND_KEY": req.Key, "TRACEPARENT": req.Trace}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(req.Env)) {
		switch text, err := action.AsText(req.Env[name]); {
		case !variable(name):
			problems = append(problems, fault.New(fault.Invalid, "env: %.60q cannot be the name of a shell variable", name))
		case name == markName:
			problems = append(problems, fault.New(fault.Invalid, "env: %s belongs to tend", name))
		case err != nil:
			problems = append(problems, fmt.Errorf("env: %s: %w", name, err))
		default:
			all[name] = text.Reveal()
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] == "" && (strings.HasPrefix(name, "TEND_") || name == "TRACEPARENT") {
			continue
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(all[name]))
	}
	return b.String(), errors.Join(problems...)
}

func variable(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// quote makes one word of a POSIX shell of any text without NUL bytes.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func newMark() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}
