// Package slack speaks with Slack: the methods of its Web API that tend uses (Client), and what Slack sends back when
// people press buttons, choose from menus, send forms and type commands (Interaction, Command).
//
// Every message carries an id of ours in its metadata, so that a message of which nobody knows whether it arrived can be
// looked for before it is sent again. Texts from outside pass Escape: in them nothing calls people, links or mentions.
//
// It follows api.slack.com/methods and api.slack.com/docs/rate-limits.
package slack

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/exchange"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// API is where Slack answers.
const API = "https://slack.com/api"

// EventType names the metadata of our messages.
const EventType = "tend_message"

// pages bounds a search.
const pages = 10

// Client speaks with one workspace. It is safe for concurrent use.
type Client struct {
	base  string
	token secret.Value
	call  exchange.Caller

	mu       sync.Mutex
	channels map[string]string // name → id
	users    map[string]User   // id → user
}

// New makes a client. base is API when it is "". The token is a bot's (xoxb-…).
func New(base string, token secret.Value, call exchange.Caller) *Client {
	if base == "" {
		base = API
	}
	return &Client{base: strings.TrimRight(base, "/"), token: token, call: call, channels: map[string]string{}, users: map[string]User{}}
}

// Post is a message to be.
type Post struct {
	ID       string // ours; "" cannot be found again
	Channel  string // id or name of a channel, id or e-mail address of a person
	Thread   string // ts of the first message of a thread; "" begins one
	Text     string // mrkdwn: Escape what is not
	Blocks   []any
	Username string
	Icon     string // :name: or an address
}

// Sent is a message that is there.
type Sent struct {
	Channel string
	TS      string
}

// Map gives it as data.
func (s Sent) Map() map[string]any { return map[string]any{"channel": s.Channel, "ts": s.TS} }

// SentFrom reads what Map gave.
func SentFrom(m map[string]any) Sent {
	channel, _ := m["channel"].(string)
	ts, _ := m["ts"].(string)
	return Sent{channel, ts}
}

// User is a person of the workspace.
type User struct {
	ID    string
	Team  string
	Name  string
	Email string // as Slack has verified it; "" of bots and guests without one
	Bot   bool
}

// reply is what is common to all answers.
type reply struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"`
}

// Post sends a message.
func (c *Client) Post(ctx context.Context, p Post) (Sent, exchange.End) {
	to, end := c.address(ctx, p.Channel)
	if !end.OK() {
		return Sent{}, end
	}
	body := map[string]any{"channel": to, "text": p.Text, "unfurl_links": false, "unfurl_media": false}
	if p.Thread != "" {
		body["thread_ts"] = p.Thread
	}
	if len(p.Blocks) > 0 {
		body["blocks"] = p.Blocks
	}
	if p.Username != "" {
		body["username"] = p.Username
	}
	switch {
	case strings.HasPrefix(p.Icon, ":"):
		body["icon_emoji"] = p.Icon
	case p.Icon != "":
		body["icon_url"] = p.Icon
	}
	if p.ID != "" {
		body["metadata"] = map[string]any{"event_type": EventType, "event_payload": map[string]any{"id": p.ID}}
	}
	var out struct {
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	}
	if end := c.json(ctx, "chat.postMessage", body, &out); !end.OK() {
		return Sent{}, end
	}
	return Sent{out.Channel, out.TS}, exchange.Done()
}

// Update changes a message of ours.
func (c *Client) Update(ctx context.Context, s Sent, text string, blocks []any) exchange.End {
	if blocks == nil {
		blocks = []any{} // those that were there go
	}
	return c.json(ctx, "chat.update", map[string]any{"channel": s.Channel, "ts": s.TS, "text": text, "blocks": blocks}, nil)
}

// Open shows somebody a form (a view of type modal). trigger comes from what that person just did, and is good for one view
// within three seconds.
func (c *Client) Open(ctx context.Context, trigger string, view map[string]any) exchange.End {
	return c.json(ctx, "views.open", map[string]any{"trigger_id": trigger, "view": view}, nil)
}

// Find looks for a message with an id of ours that is not older than since, in a thread or among the first messages of a
// channel. It answers false when it is not there.
func (c *Client) Find(ctx context.Context, channel, thread, id string, since time.Time) (Sent, bool, exchange.End) {
	to, end := c.channel(ctx, channel)
	if !end.OK() {
		return Sent{}, false, end
	}
	form := url.Values{
		"channel": {to}, "limit": {"200"}, "include_all_metadata": {"true"},
		"oldest": {stamp(since.Add(-time.Minute))}, // clocks differ
	}
	method := "conversations.history"
	if thread != "" {
		method = "conversations.replies"
		form.Set("ts", thread)
	}
	for range pages {
		var out struct {
			Messages []struct {
				TS       string `json:"ts"`
				Metadata struct {
					Type    string `json:"event_type"`
					Payload struct {
						ID string `json:"id"`
					} `json:"event_payload"`
				} `json:"metadata"`
			} `json:"messages"`
			Next next `json:"response_metadata"`
		}
		if end := c.form(ctx, method, form, &out, true); !end.OK() {
			return Sent{}, false, end
		}
		for _, m := range out.Messages {
			if m.Metadata.Type == EventType && m.Metadata.Payload.ID == id {
				return Sent{to, m.TS}, true, exchange.Done()
			}
		}
		if out.Next.Cursor == "" {
			return Sent{}, false, exchange.Done()
		}
		form.Set("cursor", out.Next.Cursor)
	}
	return Sent{}, false, exchange.Failed(fault.Limit, "Slack: there are too many messages to look through")
}

type next struct {
	Cursor string `json:"next_cursor"`
}

func stamp(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10) + ".000000"
}

// Snippet is a file with text, in a channel.
type Snippet struct {
	Channel string
	Thread  string
	Title   string
	Name    string // of the file
	Type    string // of the snippet, for highlighting: text, sql, …
	Comment string
	Content []byte
}

// Snippet uploads a file and shares it. It gives the id of the file, also when only the upload succeeded.
func (c *Client) Snippet(ctx context.Context, s Snippet) (file string, channel string, _ exchange.End) {
	if len(s.Content) == 0 {
		return "", "", exchange.Never(fault.Invalid, "Slack: a snippet without content")
	}
	to, end := c.conversation(ctx, s.Channel)
	if !end.OK() {
		return "", "", end
	}
	form := url.Values{"filename": {s.Name}, "length": {strconv.Itoa(len(s.Content))}}
	if s.Type != "" {
		form.Set("snippet_type", s.Type)
	}
	var place struct {
		URL  string `json:"upload_url"`
		File string `json:"file_id"`
	}
	// Until the upload is completed nobody sees anything: what is lost before is as if it never was.
	if end := c.form(ctx, "files.getUploadURLExternal", form, &place, true); !end.OK() {
		return "", "", end
	}
	req, err := exchange.Post(ctx, place.URL, "application/octet-stream", s.Content)
	if err != nil {
		return "", "", exchange.Failed(fault.Parse, "Slack: the place to upload to cannot be read")
	}
	if _, end := c.call.Do(req, "Slack's upload"); !end.OK() {
		return "", "", unseen(end)
	}
	body := map[string]any{"files": []any{map[string]any{"id": place.File, "title": s.Title}}, "channel_id": to}
	if s.Comment != "" {
		body["initial_comment"] = s.Comment
	}
	if s.Thread != "" {
		body["thread_ts"] = s.Thread
	}
	return place.File, to, c.json(ctx, "files.completeUploadExternal", body, nil)
}

// CreateChannel makes a channel. One that is there already is a failure of kind Conflict.
func (c *Client) CreateChannel(ctx context.Context, name string, private bool) (id string, _ exchange.End) {
	var out struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	end := c.json(ctx, "conversations.create", map[string]any{"name": name, "is_private": private}, &out)
	return out.Channel.ID, end
}

// SetTopic says what a channel is about now.
func (c *Client) SetTopic(ctx context.Context, channel, topic string) exchange.End {
	return c.json(ctx, "conversations.setTopic", map[string]any{"channel": channel, "topic": topic}, nil)
}

// SetPurpose says what a channel is for.
func (c *Client) SetPurpose(ctx context.Context, channel, purpose string) exchange.End {
	return c.json(ctx, "conversations.setPurpose", map[string]any{"channel": channel, "purpose": purpose}, nil)
}

// Archive ends a channel. One that is archived is a success.
func (c *Client) Archive(ctx context.Context, channel string) exchange.End {
	to, end := c.channel(ctx, channel)
	if !end.OK() {
		return end
	}
	return c.json(ctx, "conversations.archive", map[string]any{"channel": to}, nil, "already_archived")
}

// Invite lets people into a channel; who is in it already stays. People are ids or e-mail addresses.
func (c *Client) Invite(ctx context.Context, channel string, people []string) exchange.End {
	to, end := c.channel(ctx, channel)
	if !end.OK() {
		return end
	}
	ids := make([]string, 0, len(people))
	for _, p := range people {
		id, end := c.person(ctx, p)
		if !end.OK() {
			return end
		}
		ids = append(ids, id)
	}
	return c.json(ctx, "conversations.invite", map[string]any{"channel": to, "users": strings.Join(ids, ","), "force": true}, nil,
		"already_in_channel", "cant_invite_self")
}

// Lookup finds a person by e-mail address.
func (c *Client) Lookup(ctx context.Context, email string) (User, exchange.End) {
	var out struct {
		User account `json:"user"`
	}
	end := c.form(ctx, "users.lookupByEmail", url.Values{"email": {email}}, &out, true)
	return out.User.user(), end
}

// User tells who has an id. Answers are kept for the life of the client.
func (c *Client) User(ctx context.Context, id string) (User, exchange.End) {
	c.mu.Lock()
	u, ok := c.users[id]
	c.mu.Unlock()
	if ok {
		return u, exchange.Done()
	}
	var out struct {
		User account `json:"user"`
	}
	end := c.form(ctx, "users.info", url.Values{"user": {id}}, &out, true)
	u = out.User.user()
	if end.OK() {
		c.mu.Lock()
		c.users[id] = u
		c.mu.Unlock()
	}
	return u, end
}

// Test tells whether the token is good, and which team and bot it belongs to.
func (c *Client) Test(ctx context.Context) (team, bot string, _ exchange.End) {
	var out struct {
		Team string `json:"team"`
		User string `json:"user"`
	}
	end := c.form(ctx, "auth.test", url.Values{}, &out, true)
	return out.Team, out.User, end
}

type account struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted"`
	IsBot   bool   `json:"is_bot"`
	Team    string `json:"team_id"`
	// Strangers belong to other workspaces, whose administrators may give them any address.
	Stranger  bool  `json:"is_stranger"`
	Confirmed *bool `json:"is_email_confirmed"` // not in every answer
	Profile   struct {
		Email string `json:"email"`
		Real  string `json:"real_name"`
	} `json:"profile"`
}

func (a account) user() User {
	u := User{ID: a.ID, Team: a.Team, Name: a.Profile.Real, Email: a.Profile.Email, Bot: a.IsBot || a.Deleted}
	if u.Name == "" {
		u.Name = a.Name
	}
	if a.Stranger || a.Confirmed != nil && !*a.Confirmed {
		u.Email = ""
	}
	return u
}

// address gives what chat.postMessage takes.
func (c *Client) address(ctx context.Context, to string) (string, exchange.End) {
	switch {
	case strings.TrimSpace(to) == "":
		return "", exchange.Never(fault.Invalid, "Slack: there is no channel to send to")
	case strings.Contains(to, "@"):
		return c.person(ctx, to)
	default:
		return to, exchange.Done()
	}
}

// person gives the id of somebody.
func (c *Client) person(ctx context.Context, who string) (string, exchange.End) {
	if !strings.Contains(who, "@") {
		return who, exchange.Done()
	}
	u, end := c.Lookup(ctx, strings.TrimPrefix(who, "@"))
	return u.ID, end
}

// isID tells ids (C0123456789) from names, which are in lower case.
func isID(s string, kinds string) bool {
	return len(s) > 2 && strings.Contains(kinds, s[:1]) && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// conversation gives the id of a channel, or of the direct messages with a person.
func (c *Client) conversation(ctx context.Context, to string) (string, exchange.End) {
	if !strings.Contains(to, "@") && !isID(to, "UW") {
		return c.channel(ctx, to)
	}
	id, end := c.person(ctx, to)
	if !end.OK() {
		return "", end
	}
	var out struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	end = c.json(ctx, "conversations.open", map[string]any{"users": id}, &out)
	return out.Channel.ID, unseen(end)
}

// channel gives the id of a channel.
func (c *Client) channel(ctx context.Context, name string) (string, exchange.End) {
	name = strings.TrimPrefix(strings.TrimSpace(name), "#")
	switch {
	case name == "":
		return "", exchange.Never(fault.Invalid, "Slack: there is no channel to send to")
	case isID(name, "CGD"):
		return name, exchange.Done()
	case strings.Contains(name, "@") || isID(name, "UW"):
		return c.conversation(ctx, name)
	}
	c.mu.Lock()
	id, ok := c.channels[name]
	c.mu.Unlock()
	if ok {
		return id, exchange.Done()
	}
	form := url.Values{"limit": {"1000"}, "exclude_archived": {"true"}, "types": {"public_channel,private_channel"}}
	for range pages {
		var out struct {
			Channels []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"channels"`
			Next next `json:"response_metadata"`
		}
		if end := c.form(ctx, "conversations.list", form, &out, true); !end.OK() {
			return "", end
		}
		c.mu.Lock()
		for _, x := range out.Channels {
			c.channels[x.Name] = x.ID
		}
		id, ok := c.channels[name]
		c.mu.Unlock()
		if ok {
			return id, exchange.Done()
		}
		if out.Next.Cursor == "" {
			break
		}
		form.Set("cursor", out.Next.Cursor)
	}
	return "", exchange.Never(fault.NotFound, "Slack: there is no channel %q that this integration can see", name)
}

// json calls a method that does something. An answer with one of the errors in fine is a success.
func (c *Client) json(ctx context.Context, method string, body any, out any, fine ...string) exchange.End {
	b, err := json.Marshal(body)
	if err != nil {
		return exchange.Never(fault.Invalid, "Slack: %s: what is to be sent is no JSON", method)
	}
	return c.do(ctx, method, "application/json; charset=utf-8", b, out, false, fine)
}

// form calls a method by a form. What only looks is never in doubt.
func (c *Client) form(ctx context.Context, method string, f url.Values, out any, looks bool) exchange.End {
	return c.do(ctx, method, "application/x-www-form-urlencoded", []byte(f.Encode()), out, looks, nil)
}

func (c *Client) do(ctx context.Context, method, media string, body []byte, out any, looks bool, fine []string) exchange.End {
	req, err := exchange.Post(ctx, c.base+"/"+method, media, body)
	if err != nil {
		return exchange.Never(fault.Invalid, "Slack: %s", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	r, end := c.call.Do(req, "Slack: "+method)
	if end.OK() {
		end = judge(method, r, out, fine)
	}
	if looks {
		return unseen(end)
	}
	return end
}

// judge reads an answer with status 200, which can be a refusal all the same.
func judge(method string, r exchange.Reply, out any, fine []string) exchange.End {
	var said reply
	if err := r.JSON(&said); err != nil {
		return exchange.Doubt(fault.Parse, "Slack: %s: %s", method, err)
	}
	if said.OK || slices.Contains(fine, said.Error) {
		if out != nil {
			if err := r.JSON(out); err != nil {
				return exchange.Doubt(fault.Parse, "Slack: %s: %s", method, err)
			}
		}
		return exchange.Done()
	}
	if said.Error == "" {
		return exchange.Doubt(fault.Parse, "Slack: %s: the answer says neither yes nor no", method)
	}
	why := said.Error
	if said.Needed != "" {
		why += ": the app needs the scope " + said.Needed
	}
	switch said.Error {
	case "ratelimited", "rate_limited":
		e := exchange.Failed(fault.RateLimited, "Slack: %s: %s", method, why)
		e.After = exchange.After(r.Header, time.Now())
		return e
	case "internal_error", "fatal_error", "request_timeout":
		// Slack: "it's possible some aspect of the operation succeeded before the error was raised".
		return exchange.Doubt(fault.Unavailable, "Slack: %s: %s", method, why)
	case "service_unavailable", "team_added_to_org":
		return exchange.Failed(fault.Unavailable, "Slack: %s: %s", method, why)
	case "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission", "missing_scope", "ekm_access_denied",
		"org_login_required", "access_denied", "not_allowed_token_type":
		return exchange.Failed(fault.Auth, "Slack: %s: %s", method, why)
	case "channel_not_found", "users_not_found", "user_not_found", "message_not_found", "thread_not_found", "not_in_channel", "is_archived":
		return exchange.Failed(fault.NotFound, "Slack: %s: %s", method, why)
	case "name_taken":
		return exchange.Failed(fault.Conflict, "Slack: %s: %s", method, why)
	default:
		return exchange.Failed(fault.Invalid, "Slack: %s: %s", method, why)
	}
}

// unseen turns doubt into failure: of what nobody sees it does not matter.
func unseen(e exchange.End) exchange.End {
	if e.Outcome == entry.InDoubt {
		e.Outcome = entry.Failed
	}
	return e
}

// Escape makes a text from outside safe: it cannot link, mention or call anybody.
func Escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// Link is a link in a text.
func Link(address, name string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(address, "<>| \n") {
		return Escape(address)
	}
	if name == "" {
		return "<" + Escape(address) + ">"
	}
	return "<" + Escape(address) + "|" + Escape(strings.ReplaceAll(name, "|", "¦")) + ">"
}
