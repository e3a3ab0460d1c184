package slack

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// maxText bounds what is taken from a command.
const maxText = 2000

// Press is a button that somebody pressed (an interaction of type block_actions).
type Press struct {
	Team    string
	User    string // id
	Channel string
	TS      string // of the message with the button
	Button  string // its action_id
	Value   string
	At      string // action_ts: with user and button it names this press
	Answer  string // response_url
}

// Command is a slash command.
type Command struct {
	Team    string
	User    string
	Channel string
	Name    string // /tend
	Text    string
}

// ParsePress reads the body of a request to the interactivity address, which was verified. Interactions of other types give
// a Press without a button. The error is of kind fault.Invalid.
func ParsePress(body []byte) (Press, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Press{}, fault.New(fault.Invalid, "the body is not a form")
	}
	var in struct {
		Type string `json:"type"`
		Team struct {
			ID string `json:"id"`
		} `json:"team"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
		Container struct {
			TS string `json:"message_ts"`
		} `json:"container"`
		Answer  string `json:"response_url"`
		Actions []struct {
			ID    string `json:"action_id"`
			Value string `json:"value"`
			At    string `json:"action_ts"`
		} `json:"actions"`
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		return Press{}, fault.New(fault.Invalid, "the payload is not the JSON that was expected")
	}
	p := Press{Team: in.Team.ID, User: in.User.ID, Channel: in.Channel.ID, TS: in.Container.TS, Answer: in.Answer}
	if in.Type == "block_actions" && len(in.Actions) > 0 {
		p.Button, p.Value, p.At = in.Actions[0].ID, in.Actions[0].Value, in.Actions[0].At
	}
	if p.User == "" {
		return Press{}, fault.New(fault.Invalid, "the payload does not say who pressed")
	}
	return p, nil
}

// ParseCommand reads the body of a request to the address of a slash command, which was verified. The error is of kind
// fault.Invalid.
func ParseCommand(body []byte) (Command, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Command{}, fault.New(fault.Invalid, "the body is not a form")
	}
	c := Command{
		Team: form.Get("team_id"), User: form.Get("user_id"), Channel: form.Get("channel_id"), Name: form.Get("command"),
		Text: strings.TrimSpace(strings.ToValidUTF8(form.Get("text"), "")),
	}
	switch {
	case c.User == "" || c.Name == "":
		return Command{}, fault.New(fault.Invalid, "the form does not say who gave which command")
	case len(c.Text) > maxText:
		return Command{}, fault.New(fault.Invalid, "the command is longer than %d bytes", maxText)
	}
	return c, nil
}

// Challenge reads the body of a request to the address of events. When Slack asks whether the address is ours, it gives the
// answer to that.
func Challenge(body []byte) (string, error) {
	var in struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return "", fault.New(fault.Invalid, "the body is not the JSON that was expected")
	}
	if in.Type != "url_verification" {
		return "", nil
	}
	return in.Challenge, nil
}
