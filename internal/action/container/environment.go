package container

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/process"
	"github.com/tendhq/tend/internal/fault"
)

// environment is how variables get into a container without being an argument of anything.
type environment struct {
	process []string // of the engine's program: its own, and the values of names
	names   []string // that the program is told to pass on
	file    string   // lines NAME=value of variables that would mean something to the program itself
}

// base is the environment of the engines' programs: tend's own, which says where the engine is and who may use it, but
// for the secrets that tend keeps there.
//
// Programs of another user get that user's.
func base(as *process.User) []string {
	if as != nil {
		var env []string
		for name, v := range as.Env() {
			env = append(env, name+"="+v)
		}
		if dir := fmt.Sprintf("/run/user/%d", as.UID); isDir(dir) {
			env = append(env, "XDG_RUNTIME_DIR="+dir)
		}
		slices.Sort(env)
		return env
	}
	return slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "TEND_SECRET_") })
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func readEnvironment(req action.Request, as *process.User) (environment, error) {
	e := environment{process: base(as)}
	taken := map[string]bool{}
	for _, kv := range e.process {
		name, _, _ := strings.Cut(kv, "=")
		taken[name] = true
	}
	all := map[string]string{}
	for name, v := range map[string]string{"TEND_RUN": req.Run, "TEND_STEP": req.Step, "TEND_KEY": req.Key, "TRACEPARENT": req.Trace} {
		if v != "" && !strings.ContainsRune(v, 0) {
			all[name] = v
		}
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(req.Env)) {
		given, err := action.AsText(req.Env[name])
		text := given.Reveal()
		switch {
		case name == "" || strings.ContainsAny(name, "= \t\r\n\x00#\"'"):
			problems = append(problems, fault.New(fault.Invalid, "env: %.60q cannot be the name of a variable", name))
		case err != nil:
			problems = append(problems, fmt.Errorf("env: %s: %w", name, err))
		case strings.ContainsRune(text, 0):
			problems = append(problems, fault.New(fault.Invalid, "env: %s has a NUL byte", name))
		default:
			all[name] = text
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !taken[name] && !reserved(name) {
			e.process = append(e.process, name+"="+all[name])
			e.names = append(e.names, name)
			continue
		}
		if strings.ContainsAny(all[name], "\r\n") {
			problems = append(problems, fault.New(fault.Invalid, "env: %s has a line break, and a variable of that name would change the engine's own program", name).
				WithNext("give it another name, or write it into a file that is mounted"))
			continue
		}
		e.file += name + "=" + all[name] + "\n"
	}
	return e, errors.Join(problems...)
}

// reserved tells whether a name means something to the engine's program, or to what loads it.
func reserved(name string) bool {
	upper := strings.ToUpper(name)
	for _, prefix := range []string{"DOCKER", "PODMAN", "CONTAINER", "BUILDAH", "STORAGE_", "REGISTRY_", "LD_", "DYLD_", "GO", "XDG_", "SSH_", "SSL_", "CURL_", "DBUS_", "TEND_MARK"} {
		if strings.HasPrefix(upper, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"PATH", "HOME", "USER", "TMPDIR", "TERM", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"}, upper)
}

// arguments tell the engine which variables to pass on.
func (e environment) arguments() []string {
	out := make([]string, 0, len(e.names)+1)
	for _, name := range e.names {
		out = append(out, "--env="+name)
	}
	if e.file != "" {
		out = append(out, "--env-file=/dev/fd/3")
	}
	return out
}

// files are given to the engine's program as /dev/fd/3 and on.
func (e environment) files() ([]*os.File, func(), error) {
	if e.file == "" {
		return nil, func() {}, nil
	}
	f, end, err := pipe(e.file)
	if err != nil {
		return nil, nil, err
	}
	return []*os.File{f}, end, nil
}
