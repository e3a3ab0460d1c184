package write

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/cell"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
)

func (p commands) evalCommand() *cobra.Command {
	var event, params, data, output string
	var pairs []string
	var legacy bool
	c := &cobra.Command{
		Use:   "eval EXPR",
		Short: "Try a template or a CEL expression against real data",
		Long: "Evaluates EXPR as a playbook would. With {{ it is a template, else CEL. It sees `event`, `params`, and whatever the\n" +
			"file of --data holds (steps, run, loop variables).\n\n" +
			"A secret is never looked up here: what needs one is shown as [secret].",
		Example: "  tend eval '{{ $.event.labels.instance }}' --event alert.json\n" +
			"  tend eval 'params.limit > 3 && has(event.labels)' -p limit=4 --event alert.json",
		GroupID: frame.GroupWrite,
		Args:    frame.SomeArgs(1, 1, "an expression"),
		RunE: func(_ *cobra.Command, args []string) error {
			root, err := p.ReadObject(data, "data")
			if err != nil {
				return err
			}
			if root == nil {
				root = map[string]any{}
			}
			if root["event"], err = p.orEmpty(event, "event"); err != nil {
				return err
			}
			given, err := p.Params(params, pairs)
			if err != nil {
				return err
			}
			root["params"] = frame.Typed(given)
			dialect := expr.Strict
			if legacy {
				dialect = expr.Lenient
				for k, v := range frame.MapOf(root["event"]) {
					if _, taken := root[k]; !taken {
						root[k] = v
					}
				}
			}
			e := expr.Expr{Kind: expr.Logic, Source: args[0]}
			if strings.Contains(args[0], "{{") {
				e.Kind = expr.Template
			}
			v, err := expr.New(expr.Limits{}).Value(e, expr.Scope{Root: root, Dialect: dialect})
			if err != nil {
				return p.pointAt(args[0], err)
			}
			if m := frame.MapOf(v); len(m) == 1 && m[expr.DeferredKey] != nil {
				v = "[secret]"
			}
			switch output {
			case frame.AsJSON, frame.AsYAML:
				return p.Data(output, v)
			}
			_, err = fmt.Fprintln(p.Out, value.Text(v))
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&event, "event", "", "file with the event, JSON or YAML (- is standard input)")
	f.StringVar(&data, "data", "", "file with everything else that the expression sees")
	f.StringVar(&params, "params", "", "file with parameters")
	f.StringArrayVarP(&pairs, "param", "p", nil, "parameter, key=value")
	f.BoolVar(&legacy, "stackpulse", false, "evaluate as the dialect stackpulse.io/v1 does")
	frame.OutputFlag(c, &output, "text", frame.AsJSON, frame.AsYAML)
	return c
}

func (p commands) orEmpty(file, what string) (map[string]any, error) {
	m, err := p.ReadObject(file, what)
	if m == nil {
		m = map[string]any{}
	}
	return m, err
}

// pointAt shows where in the expression it went wrong.
func (p commands) pointAt(source string, err error) error {
	var e *expr.Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(source) || strings.Contains(source, "\n") {
		return fault.Wrap(fault.Invalid, err, "evaluate")
	}
	before := terminal.Line(source[:e.Offset])
	return fault.New(fault.Invalid, "evaluate: %s\n%s\n%s^", e.Reason, terminal.Line(source), strings.Repeat(" ", cell.Width(before)))
}
