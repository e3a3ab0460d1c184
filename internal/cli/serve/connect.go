package serve

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/app"
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/terminal"
)

type connectFlags struct {
	source, url string
	quiet       bool
}

func (p commands) connectCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "connect", GroupID: frame.GroupServe, Short: "Connect a service: what to paste there, and a test that arrives", Args: frame.NoArgs,
		Long: "Says what to paste where, makes the key for it, sends a test as the service would, through the server's own door, and shows\n" +
			"what became of it. It reads the server's configuration, and is run where the server runs.",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, k := range []struct {
		kind, short string
		paste       func(x *app.Connection) string
	}{
		{"alertmanager", "Let Prometheus' Alertmanager post its alerts", pasteAlertmanager},
		{"grafana", "Let Grafana's alerting post its alerts", pasteGrafana},
		{"github", "Let GitHub post pushes, pipelines and deployments", pasteGitHub},
	} {
		var f connectFlags
		sub := &cobra.Command{
			Use: k.kind, Short: k.short, Args: frame.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.connect(c.Context(), k.kind, f, k.paste) },
		}
		sub.Flags().StringVar(&f.source, "source", "", "name of the source, when several are of this kind")
		sub.Flags().StringVar(&f.url, "url", "", "address that the service finds the server at; default: that of the configuration")
		sub.Flags().BoolVar(&f.quiet, "no-test", false, "only say what to paste")
		c.AddCommand(sub)
	}
	c.AddCommand(p.connectSlackCommand())
	return c
}

func (p commands) connect(ctx context.Context, kind string, f connectFlags, paste func(*app.Connection) string) error {
	conf, err := config.LoadServer(ServerFlags(p.Process, ServeFlags{}), p.Getenv)
	if err != nil {
		return err
	}
	x, err := app.Connect(ctx, conf, kind, f.source, f.url)
	if err != nil {
		return err
	}
	if !x.Configured {
		file := conf.File
		if file == "" {
			file = "server.yaml, and start the server with --config server.yaml"
		}
		p.Talk("the server's configuration has no source for it yet. Put this into %s:\n", file)
		p.Talk("sources:\n  - {name: %s, kind: %s, keys: [%s]}\n", x.Source.Name, kind, x.Secret)
	}
	switch {
	case x.Made != "":
		p.Talk("made a key: %s", x.Made)
	case x.Lost(ctx, conf):
		p.Talk("this key is new, and kept nowhere. Put it into the server's environment and start it again:\n\n  TEND_SECRET_%s=%s\n", secret.EnvName(x.Secret), x.Key.Reveal())
	}
	if _, err := fmt.Fprint(p.Out, paste(x)); err != nil {
		return err
	}
	if f.quiet || !x.Configured {
		return nil
	}
	arrived, err := x.Try(ctx)
	p.Talk("")
	for _, a := range arrived {
		p.Talk("%s", arrival(a))
	}
	if err != nil {
		return err
	}
	p.Talk("look: tend events list --limit %d", len(arrived))
	if len(arrived) > 0 && arrived[0].Outcome == event.Unmatched {
		p.Talk("make a playbook of such an event: tend new playbook --from-event %s", arrived[0].Event)
	}
	return nil
}

// arrival tells what became of a test.
func arrival(a app.Arrival) string {
	text := fmt.Sprintf("a test (%s) arrived as %s: %s", a.What, a.Event, a.Outcome)
	if a.Why != "" {
		text += ", " + terminal.Line(a.Why)
	}
	if a.Outcome == event.Unmatched && a.What == string(event.Firing) {
		text += ". That is as it should be: no playbook is for it"
	}
	if a.Run != "" {
		text += "\n  it started " + a.Run + ": a trigger selects everything; give it `on.labels`"
	}
	return text
}

func pasteAlertmanager(x *app.Connection) string {
	auth := `authorization: {type: Bearer, credentials: ` + x.Key.Reveal() + `}`
	if x.Source.Signed() == "basic" {
		user, password, _ := strings.Cut(x.Key.Reveal(), ":")
		auth = `basic_auth: {username: ` + user + `, password: ` + password + `}`
	}
	return `# alertmanager.yml. Keep your pager: tend must not be the only one who hears of an alert.
route:
  # receiver: yours stays as it is
  routes:
    - receiver: tend         # the first of the routes
      continue: true         # the others get every alert as before
      group_wait: 5s
      group_interval: 30s
      repeat_interval: 4h
receivers:
  - name: tend
    webhook_configs:
      - url: ` + x.Hook + `
        send_resolved: true
        http_config:
          ` + auth + `
`
}

func pasteGrafana(x *app.Connection) string {
	how := `  HMAC signature
    Secret:              ` + x.Key.Reveal() + `
    Header:              X-Grafana-Alerting-Signature
    Timestamp header:    X-Grafana-Alerting-Timestamp
`
	switch string(x.Source.Signed()) {
	case "bearer":
		how = `  Authorization header
    Scheme:              Bearer
    Credentials:         ` + x.Key.Reveal() + "\n"
	case "basic":
		user, password, _ := strings.Cut(x.Key.Reveal(), ":")
		how = "  HTTP basic authentication\n    Username:            " + user + "\n    Password:            " + password + "\n"
	}
	return `# Grafana: Alerting > Contact points > Add contact point. Keep your pager: tend must not be the only one who hears of an alert.
  Name:                  tend
  Integration:           Webhook
  URL:                   ` + x.Hook + `
  HTTP method:           POST
` + how + `  Disable resolved message: off
# Alerting > Notification policies > New nested policy, before the others:
  Matching labels:       none, or those that playbooks are for
  Contact point:         tend
  Continue matching subsequent sibling nodes: on      (continue: true)
`
}

func pasteGitHub(x *app.Connection) string {
	return `# GitHub: the repository or organization > Settings > Webhooks > Add webhook
  Payload URL:           ` + x.Hook + `
  Content type:          application/json
  Secret:                ` + x.Key.Reveal() + `
  SSL verification:      enabled
  Events:                Pushes, Workflow runs, Deployment statuses
`
}

func (p commands) connectSlackCommand() *cobra.Command {
	var token, channel, api string
	c := &cobra.Command{
		Use: "slack", Short: "Let tend speak in a Slack workspace", Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			conf, err := config.LoadServer(ServerFlags(p.Process, ServeFlags{}), p.Getenv)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(p.Out, slackSays, token, strings.TrimRight(cmp.Or(conf.URL, "https://YOUR-SERVER"), "/")); err != nil {
				return err
			}
			told, err := app.ConnectSlack(c.Context(), conf, api, token, channel)
			if err != nil {
				return err
			}
			p.Talk("\n%s", terminal.Clean(told))
			return nil
		},
	}
	c.Flags().StringVar(&token, "token", "slack_token", "name of the secret with the bot's token")
	c.Flags().StringVar(&channel, "channel", "", "send a message there: #ops")
	c.Flags().StringVar(&api, "api", "", "where Slack's interface is, for a stand-in")
	_ = c.Flags().MarkHidden("api")
	return c
}

const slackSays = `# https://api.slack.com/apps > Create New App > From a manifest:
display_information:
  name: tend
  description: Tells what happens to alerts, and asks people
features:
  bot_user: {display_name: tend, always_online: true}
  slash_commands:
    - {command: /tend, url: '%[2]s/slack/command', description: Runs playbooks and answers, usage_hint: help, should_escape: false}
oauth_config:
  scopes:
    bot: [chat:write, chat:write.public, channels:read, channels:manage, channels:history, groups:read, groups:history, files:write, im:write, users:read, users:read.email, commands]
settings:
  interactivity: {is_enabled: true, request_url: '%[2]s/slack/interactive'}
  org_deploy_enabled: false
  socket_mode_enabled: false
  token_rotation_enabled: false
# Install App > Install to Workspace, then put the Bot User OAuth Token (xoxb-…) where secrets are, under this name:
#   %[1]s
# and the workspace into the server's configuration, then start the server again:
integrations:
  slack: {slack: {token: %[1]s, channel: '#ops'}}
# For buttons, forms and /tend: add signing (the name of the secret with the Signing Secret) and team (T…) there. Slack must reach
# %[2]s: docs/slack.md.
`
