package people

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

func (p commands) tokensCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "tokens", GroupID: frame.GroupServe, Short: "List, make and revoke tokens", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.tokensList(), p.tokensNew(), p.tokensRevoke())
	return c
}

func (p commands) tokensList() *cobra.Command {
	var output string
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List your tokens and sessions", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				got, err := api.ListTokens(c.Context(), client.ListTokensQuery{All: all})
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"TOKEN", "KIND", "FOR", "OWNER", "EXPIRES", "STATUS"}, Data: got.Tokens}
				for _, x := range got.Tokens {
					status := "good"
					switch {
					case !x.Revoked.IsZero():
						status = "revoked"
					case time.Now().After(x.Expires):
						status = "expired"
					}
					t.Rows = append(t.Rows, []string{x.ID, x.Kind, terminal.Line(x.Name), terminal.Line(x.Owner), frame.Local(x.Expires), status})
					t.Names = append(t.Names, x.ID)
				}
				return p.List(output, t)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "everybody's; needs the right to manage")
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func (p commands) tokensNew() *cobra.Command {
	var lasts string
	var service bool
	var roles, projects []string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a token; it is shown this once",
		Long: "Makes a token that stands for you, or with --service one that stands for a service (token:NAME), which admins give roles\n" +
			"with `tend bindings`. It can be bounded to roles and projects. The token is printed and not kept.",
		Args: frame.SomeArgs(1, 1, "what the token is for"),
		RunE: func(c *cobra.Command, args []string) error {
			req := wire.MakeToken{Kind: "personal", Name: args[0], For: lasts}
			if service {
				req.Kind = "service"
			}
			if len(roles)+len(projects) > 0 {
				req.Scope = &access.Scope{Projects: projects}
				for _, r := range roles {
					req.Scope.Roles = append(req.Scope.Roles, access.Role(r))
				}
			}
			return p.Ask(c.Context(), func(api *client.API) error {
				made, err := api.MakeToken(c.Context(), req)
				if err != nil {
					return err
				}
				p.Talk("%s, for %s, expires %s; it is shown this once", made.Token.ID, terminal.Line(made.Token.Owner), frame.Local(made.Token.Expires))
				_, err = fmt.Fprintln(p.Out, made.Text)
				return err
			})
		},
	}
	c.Flags().StringVar(&lasts, "for", "720h", "how long it is good")
	c.Flags().BoolVar(&service, "service", false, "for a service of that name, in place of yourself")
	c.Flags().StringSliceVar(&roles, "role", nil, "no more than this role; can be given several times")
	c.Flags().StringSliceVar(&projects, "project", nil, "in this project only; can be given several times")
	return c
}

func (p commands) tokensRevoke() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "revoke TOKEN", Short: "Revoke a token or a session, at once", Args: frame.SomeArgs(1, 1, "the id of a token"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				if err := api.RevokeToken(c.Context(), args[0], client.RevokeTokenQuery{Why: why}); err != nil {
					return err
				}
				p.Talk("%s is revoked", args[0])
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	return c
}

func (p commands) bindingsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "bindings", GroupID: frame.GroupServe, Short: "List and change who has which roles", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.bindingsList(), p.bindingsSet(), p.bindingsRemove())
	return c
}

func (p commands) bindingsList() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "list", Short: "List who has which roles", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				got, err := api.ListBindings(c.Context())
				if err != nil {
					return err
				}
				t := frame.Table{Head: []string{"BINDING", "ROLE", "SUBJECTS", "PROJECTS", "LABELS"}, Data: got.Bindings}
				for _, b := range got.Bindings {
					role := string(b.Role)
					if b.Deny {
						role = "not " + role
					}
					var labels []string
					for k, v := range b.Labels {
						labels = append(labels, k+"="+v)
					}
					t.Rows = append(t.Rows, []string{
						terminal.Line(b.Name), role, terminal.Line(strings.Join(b.Subjects, ", ")), frame.Dash(strings.Join(b.Projects, ", ")), frame.Dash(terminal.Line(strings.Join(labels, ", "))),
					})
					t.Names = append(t.Names, b.Name)
				}
				return p.List(output, t)
			})
		},
	}
	frame.OutputFlag(c, &output, frame.AsTable, frame.AsJSON, frame.AsYAML, frame.AsName)
	return c
}

func (p commands) bindingsSet() *cobra.Command {
	var why, role string
	var projects, labels []string
	var deny bool
	c := &cobra.Command{
		Use:     "set NAME --role ROLE SUBJECT…",
		Short:   "Give a role to some, or deny it to them",
		Example: "  tend bindings set sre --role operator group:sre\n  tend bindings set release --role author token:ci --project shop --why 'the pipeline publishes'",
		Args:    frame.SomeArgs(2, -1, "a name, and at least one subject"),
		RunE: func(c *cobra.Command, args []string) error {
			pairs, err := p.KeyValues("--label", labels)
			if err != nil {
				return err
			}
			b := wire.Bind{Deny: deny, Projects: projects, Role: role, Subjects: args[1:]}
			for k, v := range pairs {
				if b.Labels == nil {
					b.Labels = map[string]string{}
				}
				b.Labels[k] = fmt.Sprint(v)
			}
			return p.Ask(c.Context(), func(api *client.API) error {
				if err := api.Bind(c.Context(), args[0], client.BindQuery{Why: why}, b); err != nil {
					return err
				}
				p.Talk("%s holds from now on", terminal.Line(args[0]))
				return nil
			})
		},
	}
	c.Flags().StringVar(&role, "role", "", "viewer, breaker, operator, author, approver or admin")
	c.Flags().StringSliceVar(&projects, "project", nil, "in this project only; can be given several times")
	c.Flags().StringArrayVar(&labels, "label", nil, "for objects with this label only, name=value; can be given several times")
	c.Flags().BoolVar(&deny, "deny", false, "take away what the role may, whoever gives it")
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	return c
}

func (p commands) bindingsRemove() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "remove NAME", Short: "Take a binding away", Args: frame.SomeArgs(1, 1, "the name of a binding"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				if err := api.Unbind(c.Context(), args[0], client.UnbindQuery{Why: why}); err != nil {
					return err
				}
				p.Talk("%s holds no more", terminal.Line(args[0]))
				return nil
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	return c
}

func (p commands) emergencyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "emergency",
		GroupID: frame.GroupServe,
		Short:   "Make the sealed token for the day on which nobody can sign on otherwise",
		Long: "Makes a token that signs one person on as admin for an hour, once: tend login --name NAME --why REASON. Both are recorded\n" +
			"and shown. It replaces the one before it. Print it, seal it, and lock it away.",
		Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.Ask(c.Context(), func(api *client.API) error {
				sealed, err := api.SealEmergency(c.Context())
				if err != nil {
					return err
				}
				p.Talk("it is shown this once; the one before it is good no more")
				_, err = fmt.Fprintln(p.Out, sealed.Text)
				return err
			})
		},
	}
}
