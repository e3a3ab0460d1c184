package write

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/schema"
)

//go:embed starter
var starter embed.FS

// starterFiles says where the files of a new repository go.
func starterFiles() [][2]string {
	return [][2]string{
		{"tend.yaml", "tend.yaml"},
		{"README.md", "README.md"},
		{"gitignore", ".gitignore"},
		{"server.yaml", "server.yaml"},
		{"playbook.yaml", "playbooks/restart-when-down.yaml"},
		{"shop-down.yaml", "playbooks/shop-down.yaml"},
		{"guard.yaml", "guards/gentle-restarts.yaml"},
		{"test.sh", "test/restart-when-down.sh"},
		{"shop.py", "test/shop.py"},
		{"alert.sh", "test/alert.sh"},
		{"settings.json", ".vscode/settings.json"},
		{"extensions.json", ".vscode/extensions.json"},
	}
}

func (p commands) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Begin a repository of playbooks, with examples, places to test them, a server's configuration and editor settings",
		Long: "Writes a repository into DIR, by default the working directory. Files that are there already are left as they are, and\n" +
			"named.",
		GroupID: frame.GroupWrite,
		Args:    frame.SomeArgs(0, 1, "a directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			set, err := app.Actions()
			if err != nil {
				return err
			}
			body, err := schema.Document(set, expr.Strict, schema.Draft07)
			if err != nil {
				return err
			}
			written := 0
			put := func(name string, content []byte) error {
				made, err := create(filepath.Join(dir, filepath.FromSlash(name)), content)
				switch {
				case err != nil:
					return fault.Wrap(fault.Unavailable, err, "write %s", name)
				case made:
					written++
					p.Talk("wrote %s", filepath.Join(dir, name))
				default:
					p.Talk("left  %s as it is", filepath.Join(dir, name))
				}
				return nil
			}
			for _, f := range starterFiles() {
				content, err := starter.ReadFile("starter/" + f[0])
				if err != nil {
					return err
				}
				if err := put(f[1], content); err != nil {
					return err
				}
			}
			if err := put(".vscode/tend.schema.json", body); err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
				return fault.Wrap(fault.Unavailable, err, "make secrets")
			}
			if written > 0 {
				p.Talk("next: cd %s && sh test/restart-when-down.sh, or tend serve --config server.yaml, for alerts", dir)
			}
			return nil
		},
	}
}

// create writes a new file with the directories above it; one that is there stays.
func create(name string, content []byte) (made bool, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(content)
	return true, errors.Join(err, f.Close())
}
