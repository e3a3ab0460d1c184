package write

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/format"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/sketch"
	"github.com/tendhq/tend/internal/spelling"
	"github.com/tendhq/tend/internal/value"
)

// recorded is what an event is kept as, beside the playbook that is for it.
const recorded = "event.json"

func (p commands) newCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "new", GroupID: frame.GroupWrite, Short: "Write a first draft", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.newPlaybookCommand())
	return c
}

func (p commands) newPlaybookCommand() *cobra.Command {
	var from, file, name string
	c := &cobra.Command{
		Use:   "playbook",
		Short: "Write a playbook and its trigger for an event that came in",
		Long: "Writes a playbook whose parameters are the labels of the event, its trigger, and the event itself (event.json), to try both\n" +
			"with `tend dev`. What it writes looks and changes nothing: a change is a comment, with its approval and its verification.",
		Example: "  tend new playbook --from-event last --name disk-full",
		Args:    frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := p.sampled(c.Context(), from, file)
			if err != nil {
				return err
			}
			if e.Status == event.Resolved {
				return fault.New(fault.Invalid, "the event %s is the end of %s: a playbook is for what begins", e.ID, e.Name).WithNext("`tend events list --group %s` shows the one that began it", e.Group)
			}
			if name == "" {
				name = nameFor(e)
			}
			if !playbookName.MatchString(name) {
				return fault.New(fault.Invalid, "--name %q cannot be the name of a playbook", name).WithNext("use small letters, digits and -")
			}
			return p.draft(name, e)
		},
	}
	c.Flags().StringVar(&from, "from-event", "", "the event: its id, a beginning of it, or `last`")
	c.Flags().StringVar(&file, "event-file", "", "file with the event, as `tend events show -o json` prints it")
	c.Flags().StringVar(&name, "name", "", "name of the playbook; default: from the name of the event")
	return c
}

var (
	playbookName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	capital      = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	others       = regexp.MustCompile(`[^a-z0-9]+`)
)

// nameFor makes NodeClockSkew to node-clock-skew.
func nameFor(e *event.Event) string {
	n := e.Name
	if n == "" {
		n = e.Kind
	}
	n = strings.Trim(others.ReplaceAllString(strings.ToLower(capital.ReplaceAllString(n, "$1-$2")), "-"), "-")
	return strings.Trim(n[:min(len(n), 60)], "-")
}

// sampled gives the event that a draft is made for.
func (p commands) sampled(ctx context.Context, from, file string) (*event.Event, error) {
	switch {
	case (from == "") == (file == ""):
		return nil, fault.New(fault.Invalid, "say from which event: --from-event or --event-file").WithNext("`tend events list` lists them")
	case file != "":
		b, err := p.ReadFile(file, frame.MaxData)
		if err != nil {
			return nil, err
		}
		return readEvent(file, b)
	}
	var e event.Event
	err := p.Served(ctx, func(s *app.Session, api *client.API) error {
		row, err := frame.FindRow(ctx, s.Engine, "event", from, "tend events list")
		if err != nil {
			return err
		}
		d, err := api.ShowEvent(ctx, row.ID)
		e = d.Event
		return err
	})
	return &e, err
}

// readEvent reads an event as it is kept and as `tend events show -o json` prints it.
func readEvent(name string, b []byte) (*event.Event, error) {
	var e event.Event
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read the event in %s", name)
	}
	v, err := value.Parse(b) // whole numbers stay whole
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read the event in %s", name)
	}
	e.Data = frame.MapOf(frame.MapOf(v)["data"])
	if e.Kind == "" || e.Source == "" {
		return nil, fault.New(fault.Invalid, "%s holds no event: `kind` and `source` are missing", name).WithNext("tend events show ID -o json >%s", name)
	}
	return &e, nil
}

// draft writes the files, below the first folder with playbooks of the repository around the working directory.
func (p commands) draft(name string, e *event.Event) error {
	repo, err := repository.Open(".")
	if err != nil {
		return err
	}
	for _, n := range repo.Names("Playbook") {
		if spelling.Same(n, name) {
			return fault.New(fault.Conflict, "there is a playbook called %s already", n).WithNext("choose another one: --name")
		}
	}
	dir := filepath.Join(repo.Home(), name)
	kept, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	text, findings := format.Source("playbook.yaml", []byte(sketch.Playbook(name, e)))
	if err := document.Fault(findings); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"playbook.yaml", text}, {recorded, append(kept, '\n')}} {
		path := filepath.Join(dir, f.name)
		made, err := create(path, f.text)
		switch {
		case err != nil:
			return fault.Wrap(fault.Unavailable, err, "write %s", path)
		case !made:
			return fault.New(fault.Conflict, "%s is there already", path).WithNext("choose another name: --name")
		}
		p.Talk("wrote %s", here(path))
	}
	p.Talk("%s holds what the service sent: look through it before others get it", here(filepath.Join(dir, recorded)))
	p.Talk("next: tend dev %s", here(dir))
	return nil
}

// here is a path as people would type it in the working directory.
func here(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
