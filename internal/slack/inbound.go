package slack

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tendhq/tend/internal/fault"
)

// maxText bounds what is taken from a command.
const maxText = 2000

// The kinds of interactions that tend takes part in. Others are answered and left alone.
const (
	Pressed   = "block_actions"   // a button, or a menu
	Submitted = "view_submission" // a form
)

// Interaction is what somebody did with something that tend showed.
type Interaction struct {
	Kind    string
	Team    string
	User    string // id
	Channel string
	TS      string // of the message with the button
	Trigger string // trigger_id: opens one view, within three seconds
	Answer  string // response_url
	Button  string // its action_id
	Value   string // of the button, or what was chosen in the menu
	View    View
}

// View is a form that somebody sent.
type View struct {
	ID       string
	Callback string
	Private  string              // what was put into it when it was opened
	Values   map[string][]string // what was typed or chosen, by block; what is empty is not there
}

// Command is a slash command.
type Command struct {
	Team    string
	User    string
	Channel string
	Name    string // /tend
	Text    string
	Trigger string // trigger_id
	Answer  string // response_url
}

// chosen is an option of a menu.
type chosen struct {
	Value string `json:"value"`
}

// element is the state of one element of a form.
type element struct {
	Value    *string  `json:"value"`
	Selected *chosen  `json:"selected_option"`
	Several  []chosen `json:"selected_options"`
}

func (e element) values() []string {
	var out []string
	switch {
	case e.Value != nil && *e.Value != "":
		out = append(out, strings.ToValidUTF8(*e.Value, "\uFFFD"))
	case e.Selected != nil:
		out = append(out, e.Selected.Value)
	}
	for _, c := range e.Several {
		out = append(out, c.Value)
	}
	return out
}

// ParseInteraction reads the body of a request to the interactivity address, which was verified. The error is of kind
// fault.Invalid.
func ParseInteraction(body []byte) (Interaction, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Interaction{}, fault.New(fault.Invalid, "the body is not a form")
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
		Trigger string `json:"trigger_id"`
		Answer  string `json:"response_url"`
		Actions []struct {
			element
			ID string `json:"action_id"`
		} `json:"actions"`
		View struct {
			ID       string `json:"id"`
			Callback string `json:"callback_id"`
			Private  string `json:"private_metadata"`
			State    struct {
				Values map[string]map[string]element `json:"values"`
			} `json:"state"`
		} `json:"view"`
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		return Interaction{}, fault.New(fault.Invalid, "the payload is not the JSON that was expected")
	}
	x := Interaction{
		Kind: in.Type, Team: in.Team.ID, User: in.User.ID, Channel: in.Channel.ID, TS: in.Container.TS, Trigger: in.Trigger, Answer: in.Answer,
	}
	if x.User == "" {
		return Interaction{}, fault.New(fault.Invalid, "the payload does not say who did it")
	}
	switch {
	case x.Kind == Pressed && len(in.Actions) > 0:
		a := in.Actions[0]
		x.Button = a.ID
		if v := a.values(); len(v) > 0 {
			x.Value = v[0]
		}
	case x.Kind == Submitted:
		x.View = View{ID: in.View.ID, Callback: in.View.Callback, Private: in.View.Private, Values: map[string][]string{}}
		for block, elements := range in.View.State.Values {
			for _, e := range elements { // tend puts one into each
				if v := e.values(); len(v) > 0 {
					x.View.Values[block] = v
				}
			}
		}
	}
	return x, nil
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
		Text: strings.TrimSpace(unescape(strings.ToValidUTF8(form.Get("text"), ""))), Answer: form.Get("response_url"), Trigger: form.Get("trigger_id"),
	}
	switch {
	case c.User == "" || c.Name == "":
		return Command{}, fault.New(fault.Invalid, "the form does not say who gave which command")
	case len(c.Text) > maxText:
		return Command{}, fault.New(fault.Invalid, "the command is longer than %d bytes", maxText)
	}
	return c, nil
}

// unescape undoes what Slack does to the three characters that it marks texts up with.
func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
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
