package tell

import (
	"context"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/slack"
)

// lookBack is how far an earlier attempt can be.
const lookBack = 7 * 24 * time.Hour

const standIn = "\n\nIt follows Slack's published Web API, and is tested against a stand-in of it."

func ofSlack() []kind {
	return []kind{
		{post(), runPost}, {update(), runUpdate}, {snippet(), runSnippet}, {create(), runCreate}, {archive(), runArchive}, {invite(), runInvite},
	}
}

func to() contract.Field {
	return contract.Field{
		Name: "to", Type: contract.List, Items: &contract.Field{Type: contract.String},
		Description: "Channels (`#ops`, or an id) and people (an e-mail address, or an id). Without it the integration's channel.",
	}
}

func textFields() []contract.Field {
	return []contract.Field{
		{Name: "mrkdwn", Type: contract.Boolean, Default: false, Description: "Whether links and mentions in `text` are meant (`<https://…|name>`, `<!here>`). Otherwise they stay text: use that for what comes from outside."},
		{Name: "blocks", Type: contract.List, Description: "Slack's blocks, as they are; `text` is then what notifications show."},
	}
}

func post() contract.Spec {
	return contract.Spec{
		Name: "slack/post", Summary: "Posts a message in Slack.",
		Doc: "The text is escaped, so that nothing in it links, mentions or calls people, unless `mrkdwn` is set; `*bold*` and the like work " +
			"in both.\n\n**Doubt.** A message carries an id of the step in its metadata. When nobody knows whether it arrived, it is looked for; " +
			"one that is there is a success, and a further attempt looks again before it posts. The app needs the scopes `chat:write`, " +
			"`channels:history` (and `groups:history` for private channels), `channels:read`, `users:read.email`." + standIn,
		Effect: contract.Mutate,
		Inputs: append([]contract.Field{
			integration("slack"), to(),
			{Name: "text", Type: contract.String, Required: true, Description: "What is said."},
			{Name: "thread", Type: contract.String, Description: "`ts` of the message below which it stands."},
			{Name: "username", Type: contract.String, Description: "As whom it is posted (scope `chat:write.customize`)."},
			{Name: "icon", Type: contract.String, Description: "An emoji (`:robot_face:`) or the address of an image."},
			// What the older dialect's step had beside the text.
			{Name: "image", Type: contract.String, Description: "The address of an image below the text."},
			{Name: "imageText", Type: contract.String, Description: "What the image shows, for those who do not see it."},
		}, textFields()...),
		Outputs: []contract.Field{
			{Name: "channel", Type: contract.String, Description: "The id of the channel of the first message."},
			{Name: "ts", Type: contract.String, Description: "Its `ts`, for `thread` and `slack/update`."},
			{Name: "messages", Type: contract.List, Description: "`channel` and `ts` of every message, in the order of `to`."},
		},
		Targets: []string{"slack:{{ .to }}"},
		Ends:    ends("Slack", steps()...),
		Examples: []contract.Example{{
			Title: "Tell a channel, and go on in a thread",
			YAML:  "- id: told\n  uses: slack/post\n  integration: acme\n  with: {to: ['#ops'], text: 'Disk of {{ $.params.host }} is full.'}\n- uses: slack/post\n  integration: acme\n  with: {to: ['{{ $.steps.told.channel }}'], thread: '{{ $.steps.told.ts }}', text: Cleaned up.}\n",
		}},
		Aliases: []contract.Alias{{
			Name: "slack/message/dynamic", Inputs: map[string]string{
				"MESSAGE_TEXT": "text", "RECIPIENTS": "to", "IMAGE_LINK": "image", "IMAGE_TEXT": "imageText", "THREAD_TS": "thread",
			}, With: map[string]any{"mrkdwn": true},
		}},
	}
}

func runPost(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string   `in:"integration"`
		To          []string `in:"to"`
		Text        string   `in:"text"`
		Mrkdwn      bool     `in:"mrkdwn"`
		Blocks      []any    `in:"blocks"`
		Thread      string   `in:"thread"`
		Username    string   `in:"username"`
		Icon        string   `in:"icon"`
		Image       string   `in:"image"`
		ImageText   string   `in:"imageText"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	if len(in.Blocks) > 50 {
		return action.Never(fault.Invalid, "input blocks: Slack takes at most 50")
	}
	c, channel, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	p := slack.Post{Text: said(in.Text, in.Mrkdwn), Blocks: in.Blocks, Thread: in.Thread, Username: in.Username, Icon: in.Icon}
	if len(in.Blocks) == 0 && in.Image != "" {
		alt := in.ImageText
		if alt == "" {
			alt = "image"
		}
		p.Blocks = []any{
			map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": p.Text}},
			map[string]any{"type": "image", "image_url": in.Image, "alt_text": alt},
		}
	}
	list, ok := places(in.To, channel)
	if !ok {
		return action.Never(fault.Invalid, "input to: it names nobody, and the integration has no channel")
	}
	var sent []any
	output := func() map[string]any {
		if len(sent) == 0 {
			return nil
		}
		first, _ := sent[0].(map[string]any)
		return map[string]any{"channel": first["channel"], "ts": first["ts"], "messages": sent}
	}
	for i, place := range list {
		p.Channel, p.ID = place, mark(req, i)
		s, end := say(ctx, c, p, req.Attempt > 1)
		if !end.OK() {
			return some(end, len(sent), output())
		}
		sent = append(sent, s.Map())
	}
	return action.OK(output())
}

// say posts a message once: an earlier attempt is looked for first, and one whose end is not known afterwards.
func say(ctx context.Context, c *slack.Client, p slack.Post, again bool) (slack.Sent, exchange.End) {
	since := time.Now().Add(-lookBack)
	if again {
		s, found, end := c.Find(ctx, p.Channel, p.Thread, p.ID, since)
		if found || !end.OK() {
			return s, end
		}
	}
	s, end := c.Post(ctx, p)
	if end.Outcome != entry.InDoubt || ctx.Err() != nil {
		return s, end
	}
	if s, found, _ := c.Find(ctx, p.Channel, p.Thread, p.ID, since); found {
		return s, exchange.Done()
	}
	return s, end // it may still arrive
}

func said(text string, mrkdwn bool) string {
	if mrkdwn {
		return text
	}
	return slack.Escape(text)
}

// places gives where something goes, in order.
func places(list []string, def string) ([]string, bool) {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	if len(out) == 0 && def != "" {
		out = []string{def}
	}
	return out, len(out) > 0 && len(out) <= 50
}

func update() contract.Spec {
	return contract.Spec{
		Name: "slack/update", Summary: "Changes a message that was posted by the same app.",
		Doc:    "The message says afterwards what is given, however often it is done: the effect is `idempotent`." + standIn,
		Effect: contract.Idempotent,
		Inputs: append([]contract.Field{
			integration("slack"),
			{Name: "channel", Type: contract.String, Required: true, Description: "The id of its channel, as `slack/post` gives it."},
			{Name: "ts", Type: contract.String, Required: true, Description: "Its `ts`, as `slack/post` gives it."},
			{Name: "text", Type: contract.String, Required: true, Description: "What it says now."},
		}, textFields()...),
		Outputs: []contract.Field{
			{Name: "channel", Type: contract.String, Description: "The id of its channel."}, {Name: "ts", Type: contract.String, Description: "Its `ts`."},
		},
		Targets: []string{"slack:{{ .channel }}"},
		Ends:    ends("Slack"),
		Examples: []contract.Example{{
			Title: "Say in the first message how it went",
			YAML:  "- id: told\n  uses: slack/post\n  with: {to: ['#ops'], text: Working on it.}\n- uses: slack/update\n  with: {channel: '{{ $.steps.told.channel }}', ts: '{{ $.steps.told.ts }}', text: Done.}\n",
		}},
	}
}

func runUpdate(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string `in:"integration"`
		Channel     string `in:"channel"`
		TS          string `in:"ts"`
		Text        string `in:"text"`
		Mrkdwn      bool   `in:"mrkdwn"`
		Blocks      []any  `in:"blocks"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	c, _, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	s := slack.Sent{Channel: in.Channel, TS: in.TS}
	end := c.Update(ctx, s, said(in.Text, in.Mrkdwn), in.Blocks)
	if !end.OK() {
		return result(end, nil)
	}
	return action.OK(s.Map())
}

func snippet() contract.Spec {
	return contract.Spec{
		Name: "slack/snippet", Summary: "Shares a text as a file in Slack.",
		Doc: "For what is too long for a message: logs, tables, results of queries. Nobody sees anything before the upload is complete; only " +
			"the last call can be in doubt. The app needs the scopes `files:write`, `channels:read`, `users:read.email`, `im:write`." + standIn,
		Effect: contract.Mutate,
		Inputs: []contract.Field{
			integration("slack"), to(),
			{Name: "content", Type: contract.String, Required: true, Description: "The text."},
			{Name: "title", Type: contract.String, Default: "snippet", Description: "What the file is called."},
			{Name: "comment", Type: contract.String, Description: "What is said with it."},
			{Name: "type", Type: contract.String, Default: "text", Description: "The kind of text, for highlighting: text, sql or json, for example."},
			{Name: "thread", Type: contract.String, Description: "`ts` of the message below which it stands."},
		},
		Outputs: []contract.Field{
			{Name: "file", Type: contract.String, Description: "The id of the first file."},
			{Name: "channel", Type: contract.String, Description: "The id of its channel."},
			{Name: "files", Type: contract.List, Description: "`file` and `channel` of every one, in the order of `to`."},
		},
		Targets: []string{"slack:{{ .to }}"},
		Ends:    ends("Slack", steps()...),
		Examples: []contract.Example{{
			Title: "Share what a command printed",
			YAML:  "- id: top\n  uses: shell\n  effect: read\n  with: {script: ps aux --sort=-rss}\n- uses: slack/snippet\n  integration: acme\n  with: {to: ['#ops'], title: Largest processes, content: '{{ $.steps.top.stdout }}'}\n",
		}},
		Aliases: []contract.Alias{{
			Name:   "slack/message/snippet",
			Inputs: map[string]string{"RECIPIENTS": "to", "INITIAL_COMMENT": "comment", "FILE_TYPE": "type", "THREAD_TS": "thread"},
		}},
	}
}

func runSnippet(ctx context.Context, cs Connections, req action.Request, dial Dial) action.Result {
	var in struct {
		Integration string   `in:"integration"`
		To          []string `in:"to"`
		Content     string   `in:"content"`
		Title       string   `in:"title"`
		Comment     string   `in:"comment"`
		Type        string   `in:"type"`
		Thread      string   `in:"thread"`
	}
	if err := action.Decode(req.Inputs, &in); err != nil {
		return action.Never(fault.Invalid, err.Error())
	}
	if in.Content == "" {
		return action.Never(fault.Invalid, "input content: it is empty")
	}
	c, channel, err := cs.Slack(ctx, in.Integration, dial)
	if err != nil {
		return connection(err)
	}
	list, ok := places(in.To, channel)
	if !ok {
		return action.Never(fault.Invalid, "input to: it names nobody, and the integration has no channel")
	}
	var sent []any
	output := func() map[string]any {
		if len(sent) == 0 {
			return nil
		}
		first, _ := sent[0].(map[string]any)
		return map[string]any{"file": first["file"], "channel": first["channel"], "files": sent}
	}
	for _, place := range list {
		file, at, end := c.Snippet(ctx, slack.Snippet{
			Channel: place, Thread: in.Thread, Title: in.Title, Name: "snippet.txt", Type: in.Type, Comment: slack.Escape(in.Comment), Content: []byte(in.Content),
		})
		if !end.OK() {
			return some(end, len(sent), output())
		}
		sent = append(sent, map[string]any{"file": file, "channel": at})
	}
	return action.OK(output())
}
