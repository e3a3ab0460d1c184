package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/history"
	"github.com/tendhq/tend/internal/report"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/story"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) runsExportCommand() *cobra.Command {
	var html, asJSONL bool
	var file, artifacts string
	c := &cobra.Command{
		Use:   "export RUN --html|--json|--artifacts DIR",
		Short: "Write a run as one offline HTML file, or as JSON, or the files that its steps left",
		Long: "--html writes a page that needs nothing else: graph, steps, time line, logs; secrets and sensitive parameters are out.\n" +
			"--json writes the same view with every entry as it is chained, so that somebody else can verify it. Sensitive\n" +
			"parameters are masked there too: the sum of such an entry is of what was recorded, and its chain holds.\n" +
			"--artifacts writes the files that its steps left into DIR, which must not exist.",
		Args: frame.SomeArgs(1, 1, aRun),
		RunE: func(c *cobra.Command, args []string) error {
			if exactly := chosen(html, asJSONL, artifacts != ""); exactly != 1 {
				return fault.New(fault.Invalid, "say how: --html, --json or --artifacts DIR")
			}
			return p.Look(c.Context(), func(s *app.Session) error {
				row, err := frame.FindRun(c.Context(), s.Engine, args[0])
				if err != nil {
					return err
				}
				if artifacts != "" {
					return p.exportArtifacts(c.Context(), artifacts, s.Engine, row)
				}
				out, done, err := p.outputFile(file)
				if err != nil {
					return err
				}
				if html {
					err = p.exportHTML(c.Context(), out, s.Engine, row.ID)
				} else {
					err = p.exportJSON(c.Context(), out, s.Engine, row.ID)
				}
				return errors.Join(err, done())
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&html, "html", false, "one offline HTML file")
	f.BoolVar(&asJSONL, "json", false, "JSON: the view, and every entry with its place in the chain")
	f.StringVar(&artifacts, "artifacts", "", "a new directory for the files that the steps left")
	f.StringVarP(&file, "file", "f", "", "write here instead of standard output")
	return c
}

// outputFile opens the file to write to, or standard output. A file is new, so that nothing is overwritten by mistake.
func (p commands) outputFile(name string) (io.Writer, func() error, error) {
	if name == "" || name == "-" {
		return p.Out, func() error { return nil }, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return nil, nil, fault.New(fault.Invalid, "%s is there already", name).WithNext("choose another name: an export overwrites nothing")
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "write %s", name)
	}
	return f, f.Close, nil
}

func (p commands) exportHTML(ctx context.Context, w io.Writer, s engine.Service, id string) error {
	row, err := frame.FindRun(ctx, s, id)
	if err != nil {
		return err
	}
	t, err := story.Read(ctx, s, row)
	if err != nil {
		return err
	}
	r, err := t.Report(ctx, s)
	if err != nil {
		return err
	}
	r.At, r.By = time.Now(), "tend "+frame.ThisVersion().Version
	return report.HTML(w, r)
}

// chosen tells how many are true.
func chosen(all ...bool) (n int) {
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}

// exportArtifacts writes what the steps left below dir, one directory for each step and attempt.
func (p commands) exportArtifacts(ctx context.Context, dir string, s engine.Service, row store.Row) error {
	fold, _, err := frame.Read(ctx, s, row)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fault.Wrap(fault.Invalid, err, "make a new directory for the artifacts")
	}
	root, err := os.OpenRoot(dir) // names come from programs: nothing leads out of it
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "open %s", dir)
	}
	defer root.Close()
	n := 0
	fold.View().Walk(func(st *history.Step, _ int) {
		for _, a := range st.Artifacts {
			if err != nil {
				return
			}
			name := filepath.Join(strings.NewReplacer("/", "_", "\x00", "_").Replace(st.Path), filepath.FromSlash(a.Name))
			var b []byte
			if b, err = s.Blob(ctx, row.ID, a.Ref); err != nil {
				return
			}
			if err = root.MkdirAll(filepath.Dir(name), 0o700); err == nil {
				err = root.WriteFile(name, b, 0o600)
			}
			n++
		}
	})
	if err != nil {
		return fault.Wrap(fault.KindOf(err), err, "write the artifacts of %s", row.ID)
	}
	p.Talk("%s: %s", dir, frame.Count(n, "file"))
	return nil
}

// exported is what --json writes.
type exported struct {
	Run     *history.View   `json:"run"`
	Program json.RawMessage `json:"program,omitempty"`
	Entries []wire.Entry    `json:"entries"`
}

func (p commands) exportJSON(ctx context.Context, w io.Writer, s engine.Service, id string) error {
	row, err := frame.FindRun(ctx, s, id)
	if err != nil {
		return err
	}
	fold, prog, err := frame.Read(ctx, s, row)
	if err != nil {
		return err
	}
	out := exported{Run: fold.View(), Entries: []wire.Entry{}}
	if prog != nil {
		if out.Program, _, err = prog.Closure(); err != nil {
			return err
		}
	}
	for from := uint64(1); ; {
		list, err := s.Entries(ctx, "run/"+id, from, 1000)
		if fault.Is(err, fault.NotFound) && from > 1 {
			break
		}
		if err != nil {
			return err
		}
		for _, e := range list {
			x := wire.FromEntry(e)
			if x.Payload, err = masked(fold, x.Payload); err != nil {
				return err
			}
			out.Entries = append(out.Entries, x)
		}
		if len(list) < 1000 {
			break
		}
		from = list[len(list)-1].Seq + 1
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// masked takes out of a payload what must not be seen. What is left is not what the entry's sum is of, so that the entry
// counts as erased for whoever verifies the export; the chain holds without payloads.
func masked(fold *history.Fold, payload json.RawMessage) (json.RawMessage, error) {
	if len(payload) == 0 {
		return payload, nil
	}
	v, err := value.Parse(payload)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read an entry")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return payload, nil
	}
	b, err := value.Canonical(fold.MaskEntry(object))
	if err != nil {
		return nil, err
	}
	if bytes.Equal(b, payload) {
		return payload, nil
	}
	return b, nil
}
