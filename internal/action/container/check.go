package container

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

const memoryPattern = `[1-9][0-9]*[bkmgBKMG]?`

var (
	// An image cannot be taken for an option, nor hold anything that a shell or an engine would read.
	image   = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,500}$`)
	memory  = regexp.MustCompile(`^` + memoryPattern + `$`)
	network = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)
	user    = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63}(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,63})?$`)
	plain   = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
)

// check checks the inputs that become options.
func (in inputs) check() error {
	var problems []error
	bad := func(format string, a ...any) { problems = append(problems, fault.New(fault.Invalid, format, a...)) }
	if !image.MatchString(in.Image) {
		bad("input image: %.100q is not the name of an image", in.Image)
	}
	for _, c := range []struct {
		name, value string
		form        *regexp.Regexp
	}{{"network", in.Network, network}, {"user", in.User, user}, {"memory", in.Memory, memory}} {
		if c.value != "" && !c.form.MatchString(c.value) {
			bad("input %s: %.100q is none", c.name, c.value)
		}
	}
	for name, path := range map[string]string{"workdir": in.Workdir} {
		if path != "" && (!filepath.IsAbs(path) || strings.ContainsAny(path, "\x00\r\n")) {
			bad("input %s: %.100q is not an absolute path inside the container", name, path)
		}
	}
	if strings.ContainsRune(in.Entrypoint, 0) {
		bad("input entrypoint: it has a NUL byte")
	}
	if in.CPUs < 0 || in.CPUs > 4096 {
		bad("input cpus: %g processors", in.CPUs)
	}
	if in.Pull != "" && !slices.Contains([]string{"always", "missing", "never"}, in.Pull) {
		bad("input pull: %.40q is none of always, missing, never", in.Pull)
	}
	if in.Parse != "" && !slices.Contains([]string{"text", "json", "lines", "number", "auto"}, in.Parse) {
		bad("input parse: %.40q is none of text, json, lines, number, auto", in.Parse)
	}
	return errors.Join(problems...)
}

// label makes a text fit to be the value of a label.
func label(s string) string { return plain.ReplaceAllString(s, "_") }
