package frame

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
)

// WhyFlag adds --why.
func WhyFlag(c *cobra.Command, why *string) {
	c.Flags().StringVar(why, "why", "", "the reason, which is recorded")
}

// The forms of lists.
const (
	AsTable = "table"
	AsJSON  = "json"
	AsYAML  = "yaml"
	AsName  = "name"
)

// OutputFlag adds -o with the given forms; the first one is the default.
func OutputFlag(c *cobra.Command, into *string, forms ...string) {
	c.Flags().StringVarP(into, "output", "o", forms[0], strings.Join(forms, ", "))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	check := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(forms, *into) {
			return BadOutput(*into, forms...)
		}
		if check != nil {
			return check(c, args)
		}
		return nil
	}
}

// BadOutput refuses a form of output.
func BadOutput(got string, forms ...string) error {
	return fault.New(fault.Invalid, "there is no output form %q here", got).WithNext("use -o %s", strings.Join(forms, "|"))
}

// Table is a list for people and scripts.
type Table struct {
	Head []string
	Rows [][]string
	// Names are what -o name prints, one per row; Data is what -o json and yaml print.
	Names []string
	Data  any
	Empty string // said on standard error when there is nothing
}

// List prints a table in the form that was asked for.
func (p *Process) List(form string, t Table) error {
	switch form {
	case AsJSON, AsYAML:
		return p.Data(form, t.Data)
	case AsName:
		for _, n := range t.Names {
			if _, err := fmt.Fprintln(p.Out, terminal.Line(n)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(t.Rows) == 0 {
		if t.Empty != "" {
			p.Talk("%s", t.Empty)
		}
		return nil
	}
	return writeTable(p.Out, p.OutStyle, t.Head, t.Rows)
}

// Data prints a value as JSON or YAML.
func (p *Process) Data(form string, v any) error {
	if form == AsYAML {
		n, err := value.Normalize(v)
		if err != nil {
			return err
		}
		b, err := yaml.Dump(n, yaml.WithV4Defaults())
		if err != nil {
			return err
		}
		_, err = p.Out.Write(b)
		return err
	}
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeTable aligns columns by the cells that they take. On a terminal the last column is cut at the edge.
func writeTable(w io.Writer, s terminal.Style, head []string, rows [][]string) error {
	wide := make([]int, len(head))
	for i, h := range head {
		wide[i] = cell.Width(h)
	}
	for _, r := range rows {
		for i := range r {
			r[i] = terminal.Line(r[i])
			wide[i] = max(wide[i], cell.Width(r[i]))
		}
	}
	line := func(r []string, style func(string) string) error {
		var b strings.Builder
		used := 0
		for i, c := range r {
			if i == len(r)-1 {
				if s.Width > 0 {
					c = cell.Cut(c, max(s.Width-used, 8))
				}
				b.WriteString(c)
				break
			}
			b.WriteString(cell.Pad(c, wide[i]) + "  ")
			used += wide[i] + 2
		}
		_, err := fmt.Fprintln(w, style(strings.TrimRight(b.String(), " ")))
		return err
	}
	if err := line(head, s.Dim); err != nil {
		return err
	}
	for _, r := range rows {
		if err := line(r, func(t string) string { return t }); err != nil {
			return err
		}
	}
	return nil
}
