package write

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/schema"
)

func (p commands) schemaCommand() *cobra.Command {
	var draft, dir string
	var legacy bool
	c := &cobra.Command{
		Use:   "schema",
		Short: "Write the JSON Schema of playbooks, for editors",
		Long: "Prints the schema of documents. An editor with yaml-language-server takes it by a first line\n" +
			"  # yaml-language-server: $schema=tend.schema.json",
		GroupID: frame.GroupWrite,
		Args:    frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			set, err := app.Actions()
			if err != nil {
				return err
			}
			if dir != "" {
				files, err := schema.Files(set)
				if err != nil {
					return err
				}
				for _, f := range files {
					name := filepath.Join(dir, f.Name)
					if err := os.WriteFile(name, f.Body, 0o644); err != nil {
						return fault.Wrap(fault.Unavailable, err, "write the schema")
					}
					p.Talk("wrote %s", name)
				}
				return nil
			}
			dialect, d := expr.Strict, schema.Draft(draft)
			if legacy {
				dialect = expr.Lenient
			}
			if d != schema.Draft07 && d != schema.Draft2020 {
				return fault.New(fault.Invalid, "there is no schema in draft %q", draft).WithNext("use --draft %s or %s", schema.Draft07, schema.Draft2020)
			}
			b, err := schema.Document(set, dialect, d)
			if err != nil {
				return err
			}
			_, err = p.Out.Write(b)
			return err
		},
	}
	c.Flags().StringVar(&draft, "draft", string(schema.Draft07), "draft-07, which editors know, or 2020-12")
	c.Flags().BoolVar(&legacy, "stackpulse", false, "of the dialect stackpulse.io/v1")
	c.Flags().StringVar(&dir, "dir", "", "write the schemas of both dialects in both drafts into this directory")
	return c
}
