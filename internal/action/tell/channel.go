package tell

import (
	"context"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
)

func create() contract.Spec {
	return contract.Spec{
		Name: "slack/channel-create", Summary: "Makes a channel in Slack, for an incident.",
		Doc: "Then its topic and purpose are set and people are let in. The app needs the scopes `channels:manage` (`groups:write` for " +
			"private ones) and `users:read.email`. A name that is taken is a failure, so that nobody is told in a channel that is about " +
			"something else." + standIn,
		Effect: contract.Mutate,
		Inputs: []contract.Field{
			integration("slack"),
			{Name: "name", Type: contract.String, Required: true, Description: "Its name: small letters, digits, - and _."},
			{Name: "private", Type: contract.Boolean, Default: false, Description: "Whether only who is let in sees it."},
			{Name: "topic", Type: contract.String, Description: "What it is about now."},
			{Name: "purpose", Type: contract.String, Description: "What it is for."},
			{Name: "users", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Who is let in: e-mail addresses or ids."},
		},
		Outputs: []contract.Field{
			{Name: "channel", Type: contract.String, Description: "Its id."}, {Name: "name", Type: contract.String, Description: "Its name."},
		},
		Targets: []string{"slack:#{{ .name }}"},
		Ends: ends("Slack", append(steps(),
			contract.End{When: "the name is taken", Outcome: "failed", Kind: fault.Conflict})...),
		Examples: []contract.Example{{
			Title: "A room for an incident",
			YAML:  "- id: room\n  uses: slack/channel-create\n  integration: acme\n  with: {name: 'inc-{{ $.params.host }}', topic: Checkout is down, users: [alice@example.org]}\n",
		}},
		Aliases: []contract.Alias{{Name: "slack/channel/create", Inputs: map[string]string{"CHANNEL_NAME": "name"}}},
	}
}

func runCreate(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string   `in:"integration"`
		Name        string   `in:"name"`
		Private     bool     `in:"private"`
		Topic       string   `in:"topic"`
		Purpose     string   `in:"purpose"`
		Users       []string `in:"users"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	c, _, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	id, end := c.CreateChannel(ctx, in.Name, in.Private)
	if !end.OK() {
		return result(end, nil)
	}
	out := map[string]any{"channel": id, "name": action.Clean(in.Name)}
	if in.Topic != "" && end.OK() {
		end = c.SetTopic(ctx, id, in.Topic)
	}
	if in.Purpose != "" && end.OK() {
		end = c.SetPurpose(ctx, id, in.Purpose)
	}
	if users, ok := places(in.Users, ""); ok && end.OK() {
		end = c.Invite(ctx, id, users)
	}
	if !end.OK() {
		r := result(end, out)
		if r.Outcome == action.NotStarted {
			r.Outcome = action.Failed
		}
		r.Message = "the channel " + id + " was made; then: " + r.Message
		return r
	}
	return action.OK(out)
}

func archive() contract.Spec {
	return contract.Spec{
		Name: "slack/channel-archive", Summary: "Archives a channel in Slack.",
		Doc: "One that is archived already is a success: the effect is `idempotent`. The app needs the scope `channels:manage`." + standIn, Effect: contract.Idempotent,
		Inputs: []contract.Field{
			integration("slack"), {Name: "channel", Type: contract.String, Required: true, Description: "Its id or name."},
		},
		Outputs: []contract.Field{{Name: "channel", Type: contract.String, Description: "As it was given."}},
		Targets: []string{"slack:{{ .channel }}"},
		Ends:    ends("Slack", steps()...),
		Examples: []contract.Example{{
			Title: "Close the room of an incident", YAML: "- uses: slack/channel-archive\n  integration: acme\n  with: {channel: '#inc-7'}\n",
		}},
		Aliases: []contract.Alias{{Name: "slack/channel/archive", Inputs: map[string]string{"CHANNEL_ID": "channel", "CHANNEL_NAME": "channel"}}},
	}
}

func runArchive(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string `in:"integration"`
		Channel     string `in:"channel"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	c, _, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	return about(c.Archive(ctx, in.Channel), in.Channel)
}

func invite() contract.Spec {
	return contract.Spec{
		Name: "slack/channel-invite", Summary: "Lets people into a channel in Slack.",
		Doc:    "Who is in it already stays: the effect is `idempotent`. The app needs the scopes `channels:manage` and `users:read.email`." + standIn,
		Effect: contract.Idempotent,
		Inputs: []contract.Field{
			integration("slack"),
			{Name: "channel", Type: contract.String, Required: true, Description: "Its id or name."},
			{Name: "users", Type: contract.List, Required: true, Items: &contract.Field{Type: contract.String}, Description: "Who is let in: e-mail addresses or ids."},
		},
		Outputs: []contract.Field{{Name: "channel", Type: contract.String, Description: "As it was given."}},
		Targets: []string{"slack:{{ .channel }}"},
		Ends:    ends("Slack", steps()...),
		Examples: []contract.Example{{
			Title: "Bring somebody in", YAML: "- uses: slack/channel-invite\n  integration: acme\n  with: {channel: '#inc-7', users: [bob@example.org]}\n",
		}},
		Aliases: []contract.Alias{{Name: "slack/channel/invite", Inputs: map[string]string{"CHANNEL_ID": "channel", "CHANNEL_NAME": "channel"}}},
	}
}

func runInvite(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string   `in:"integration"`
		Channel     string   `in:"channel"`
		Users       []string `in:"users"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	users, ok := places(in.Users, "")
	if !ok {
		return action.Never(fault.Invalid, "input users: it names nobody, or more than 50")
	}
	c, _, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	return about(c.Invite(ctx, in.Channel, users), in.Channel)
}

// about gives the channel again when what was asked for it is done.
func about(e exchange.End, channel string) action.Result {
	if !e.OK() {
		return result(e, nil)
	}
	return action.OK(map[string]any{"channel": action.Clean(channel)})
}
