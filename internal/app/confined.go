package app

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// confined is an action in a server: files that its inputs name lie in the playbook's directory, and nothing of the server
// itself (its keys, its agent, its sockets, its credentials) can be used by naming it. What the server's configuration gives
// to a runner is not asked about.
type confined struct {
	action.Action

	// files are inputs that can name a file.
	files []string
	// wrong tells of further inputs that would use what is the server's: "" when none does.
	wrong func(inputs map[string]any) string
}

// Run implements action.Action.
func (c confined) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	for _, name := range c.files {
		text, ok := plain(req.Inputs[name])
		if !ok || text == "" || strings.Contains(text, "\n") {
			continue // not given, or the text itself
		}
		if err := inside(text, req.Dir); err != nil {
			return action.Never(fault.KindOf(err), "input "+name+": "+err.Error())
		}
	}
	if c.wrong != nil {
		if why := c.wrong(req.Inputs); why != "" {
			return action.Never(fault.Refused, why)
		}
	}
	return c.Action.Run(ctx, req, log)
}

func plain(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case secret.Value:
		return x.Reveal(), true
	}
	return "", false
}

// inside tells whether a file lies in dir, links followed. The message does not repeat the name: it may be a secret.
func inside(name, dir string) error {
	outside := fault.New(fault.Refused, "in a server, files that a step names lie in the playbook's directory, and this one does not")
	if dir == "" || strings.ContainsRune(name, 0) {
		return outside
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return outside
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	real, err := filepath.EvalSymlinks(name)
	switch {
	case os.IsNotExist(err):
		real = filepath.Clean(name) // the action says that it is missing, where it may know
	case err != nil:
		return outside
	}
	if rel, err := filepath.Rel(root, real); err != nil || !filepath.IsLocal(rel) {
		return outside
	}
	return nil
}

// given tells whether an input is there.
func given(inputs map[string]any, name string) bool {
	v, ok := inputs[name]
	if !ok || v == nil {
		return false
	}
	text, isText := plain(v)
	return !isText || text != ""
}

// serversKeys tells of inputs of ssh that would log in as the server.
func serversKeys(inputs map[string]any) string {
	switch {
	case given(inputs, "awsSecret"):
		return "input awsSecret: in a server, secrets are read by its own providers"
	case inputs["agent"] == true, !given(inputs, "privateKey") && !given(inputs, "keyFile"):
		return "the server's own keys are not for playbooks: give privateKey from a secret, or name a runner that the server's configuration has"
	}
	return ""
}

// serversSockets tells of inputs of sql that would connect as the server's user, or read its files.
func serversSockets(inputs map[string]any) string {
	host, _ := plain(inputs["host"])
	address, _ := plain(inputs["url"])
	u, err := url.Parse(address)
	switch {
	case strings.HasPrefix(strings.TrimSpace(host), "/"):
		return "input host: the server's own sockets are not for playbooks"
	case err == nil && (u.Query().Has("host") || strings.HasPrefix(u.Hostname(), "/")):
		return "input url: in a server, name the host in its place"
	}
	return ""
}
