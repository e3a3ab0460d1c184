package write

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/format"
)

type formatFlags struct{ write, check, diff bool }

func (p commands) fmtCommand() *cobra.Command {
	var f formatFlags
	c := &cobra.Command{
		Use:   "fmt [FILE|DIR|NAME ...]",
		Short: "Write playbooks in their canonical form, comments kept",
		Long: "Prints the canonical form of documents. -w writes it back, --check only names files that differ (and exits with 3),\n" +
			"-d shows what would change. Without an argument it is about the repository around the working directory.",
		GroupID: frame.GroupWrite,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.write && f.check {
				return fault.New(fault.Invalid, "--check writes nothing, and --write does").WithNext("give one of them")
			}
			files, err := p.documents(args)
			if err != nil {
				return err
			}
			var problems []error
			changed := 0
			for _, file := range files {
				differs, err := p.format(file.File, f)
				problems = append(problems, err)
				if differs {
					changed++
				}
			}
			if err := errors.Join(problems...); err != nil {
				return err
			}
			if f.check && changed > 0 {
				p.Talk("%s not in canonical form: `tend fmt -w` writes them", frame.Count(changed, "document"))
				return frame.Exit(frame.ExitFindings)
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write the files back")
	c.Flags().BoolVar(&f.check, "check", false, "only name the files that differ")
	c.Flags().BoolVarP(&f.diff, "diff", "d", false, "show what would change")
	return c
}

// format brings one file into its form and tells whether it differed.
func (p commands) format(file document.File, f formatFlags) (bool, error) {
	out, findings := format.Source(file.Name, file.Content)
	if out == nil || document.HasErrors(findings) {
		if err := document.Fault(findings); err != nil {
			return false, err
		}
	}
	for _, w := range findings {
		p.Talk("%s", w)
	}
	differs := !bytes.Equal(out, file.Content)
	if differs && f.write && file.Name != "stdin" {
		if err := replaceFile(filepath.FromSlash(file.Name), out); err != nil {
			return true, fault.Wrap(fault.Unavailable, err, "write %s", file.Name)
		}
		p.Talk("wrote %s", file.Name)
	}
	var err error
	switch {
	case f.diff && differs:
		_, err = p.Out.Write(diff.Diff(file.Name, file.Content, file.Name+" (canonical)", out))
	case f.check && differs:
		_, err = fmt.Fprintln(p.Out, file.Name)
	case !f.write && !f.check && !f.diff:
		_, err = p.Out.Write(out)
	}
	return differs, err
}

// replaceFile writes a file as a whole, with the mode that it has.
func replaceFile(name string, content []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tend-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
