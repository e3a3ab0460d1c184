package slacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sign signs a request as Slack does (v0), at a time.
func Sign(r *http.Request, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(Signing))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// Press is the body that Slack sends when somebody presses a button.
func Press(user, button, value, answer, trigger string) []byte {
	return pressed(user, answer, trigger, map[string]any{"type": "button", "action_id": button, "value": value})
}

// Menu is the body that Slack sends when somebody chooses from a menu.
func Menu(user, menu, value, answer, trigger string) []byte {
	return pressed(user, answer, trigger, map[string]any{
		"type": "static_select", "action_id": menu, "selected_option": map[string]any{"text": map[string]any{"type": "plain_text", "text": "x"}, "value": value},
	})
}

func pressed(user, answer, trigger string, action map[string]any) []byte {
	action["action_ts"], action["block_id"] = strconv.FormatInt(time.Now().UnixMicro(), 10), "b"
	return payload(map[string]any{
		"type": "block_actions", "team": map[string]any{"id": Team}, "user": map[string]any{"id": user, "name": "whatever", "team_id": Team},
		"channel": map[string]any{"id": "C0OPS"}, "container": map[string]any{"type": "message", "message_ts": "1.000001", "channel_id": "C0OPS"},
		"response_url": answer, "trigger_id": trigger, "actions": []any{action},
	})
}

func payload(p map[string]any) []byte {
	b, _ := json.Marshal(p) //nolint:errchkjson // texts
	return []byte(url.Values{"payload": {string(b)}}.Encode())
}

// Submit is the body that Slack sends when somebody sends a form: values by block, a text or a list of what was chosen. What
// the form does not have, or what Slack would not send, is an error.
func (v View) Submit(user string, values map[string]any) ([]byte, error) {
	state := map[string]any{}
	for _, x := range v.Blocks {
		b, _ := x.(map[string]any)
		if b["type"] != "input" {
			continue
		}
		name, _ := b["block_id"].(string)
		e, _ := b["element"].(map[string]any)
		given, ok := values[name]
		delete(values, name)
		out := map[string]any{"type": e["type"]}
		switch e["type"] {
		case "static_select", "multi_static_select":
			list, err := chosen(e, given)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if e["type"] == "multi_static_select" {
				out["selected_options"] = list
				break
			}
			out["selected_option"] = nil
			if len(list) > 0 {
				out["selected_option"] = list[0]
			} else if o := e["initial_option"]; o != nil && !ok {
				out["selected_option"] = o
			}
		default:
			out["value"] = nil
			if ok {
				out["value"] = given
			} else if i := e["initial_value"]; i != nil {
				out["value"] = i
			}
		}
		if empty := out["value"] == nil && out["selected_option"] == nil && out["selected_options"] == nil; empty && b["optional"] != true {
			return nil, fmt.Errorf("the form is not sent: %s is required", name)
		}
		state[name] = map[string]any{text(e, "action_id"): out}
	}
	for name := range values {
		return nil, fmt.Errorf("the form has no block %s", name)
	}
	return payload(map[string]any{
		"type": "view_submission", "team": map[string]any{"id": Team}, "user": map[string]any{"id": user, "team_id": Team}, "trigger_id": "t",
		"view": map[string]any{
			"id": "V" + v.Trigger, "callback_id": "tend", "private_metadata": v.Private, "state": map[string]any{"values": state},
		},
	}), nil
}

// chosen finds options by their texts.
func chosen(e map[string]any, given any) ([]any, error) {
	var want []string
	switch x := given.(type) {
	case string:
		want = []string{x}
	case []string:
		want = x
	}
	var out []any
	for _, w := range want {
		options, _ := e["options"].([]any)
		i := slices.IndexFunc(options, func(o any) bool {
			m, _ := o.(map[string]any)
			t, _ := m["text"].(map[string]any)
			return t["text"] == w
		})
		if i < 0 {
			return nil, fmt.Errorf("there is no option %q", w)
		}
		out = append(out, options[i])
	}
	return out, nil
}

// Errors reads the answer to a form: what is wrong, by block. Slack shows that at blocks of type input only.
func (v View) Errors(answer []byte) (map[string]string, error) {
	if len(answer) == 0 {
		return nil, nil
	}
	var out struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return nil, err
	}
	if out.Action != "errors" || len(out.Errors) == 0 {
		return nil, fmt.Errorf("an answer that Slack does not understand: %s", answer)
	}
	for name := range out.Errors {
		if !slices.ContainsFunc(v.Blocks, func(x any) bool {
			b, _ := x.(map[string]any)
			return b["type"] == "input" && b["block_id"] == name
		}) {
			return nil, fmt.Errorf("there is no block %s to show an error at", name)
		}
	}
	return out.Errors, nil
}

// Command is the body that Slack sends for a slash command.
func Command(user, text, answer, trigger string) []byte {
	return []byte(url.Values{
		"team_id": {Team}, "user_id": {user}, "user_name": {"whatever"}, "channel_id": {"C0OPS"}, "command": {"/tend"},
		"text": {strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)}, "response_url": {answer}, "trigger_id": {trigger},
	}.Encode())
}

// show shows a form, within the bounds of Block Kit.
func (s *Server) show(in map[string]any) map[string]any {
	trigger := text(in, "trigger_id")
	at, ok := s.triggers[trigger]
	delete(s.triggers, trigger)
	switch {
	case !ok:
		return no("invalid_trigger_id")
	case time.Since(at) > 3*time.Second:
		return no("expired_trigger_id")
	}
	v, _ := in["view"].(map[string]any)
	title, _ := v["title"].(map[string]any)
	blocks, _ := v["blocks"].([]any)
	if why := wrong(v, title, blocks); why != "" {
		return map[string]any{"ok": false, "error": "invalid_arguments", "response_metadata": map[string]any{"messages": []any{"[ERROR] " + why}}}
	}
	s.views = append(s.views, View{Trigger: trigger, Title: text(title, "text"), Private: text(v, "private_metadata"), Blocks: blocks})
	return map[string]any{"ok": true, "view": map[string]any{"id": "V" + trigger}}
}

func wrong(v, title map[string]any, blocks []any) string {
	if v["type"] != "modal" || text(title, "text") == "" || len([]rune(text(title, "text"))) > 24 || title["type"] != "plain_text" {
		return "the title"
	}
	if len(blocks) == 0 || len(blocks) > 100 || len(text(v, "private_metadata")) > 3000 {
		return "blocks or private_metadata"
	}
	seen := map[string]bool{}
	for i, x := range blocks {
		b, _ := x.(map[string]any)
		if b["type"] != "input" {
			t, _ := b["text"].(map[string]any)
			if n := len([]rune(text(t, "text"))); b["type"] != "section" || n == 0 || n > 3000 {
				return fmt.Sprintf("block %d", i)
			}
			continue
		}
		if v["submit"] == nil {
			return "submit is required when there are inputs"
		}
		label, _ := b["label"].(map[string]any)
		e, _ := b["element"].(map[string]any)
		name := text(b, "block_id")
		if n := len([]rune(text(label, "text"))); n == 0 || n > 2000 || seen[name] || len(name) > 255 || text(e, "action_id") == "" {
			return fmt.Sprintf("block %d: label, block_id or action_id", i)
		}
		seen[name] = true
		if why := wrongElement(e); why != "" {
			return fmt.Sprintf("block %d: %s", i, why)
		}
	}
	return ""
}

func wrongElement(e map[string]any) string {
	switch e["type"] {
	case "plain_text_input":
		if n, ok := e["max_length"].(float64); ok && (n < 1 || n > 3000) {
			return "max_length"
		}
	case "number_input":
		if _, ok := e["is_decimal_allowed"].(bool); !ok {
			return "is_decimal_allowed"
		}
	case "static_select", "multi_static_select":
		options, _ := e["options"].([]any)
		if len(options) == 0 || len(options) > 100 {
			return "options"
		}
		for _, o := range options {
			m, _ := o.(map[string]any)
			t, _ := m["text"].(map[string]any)
			if n := len([]rune(text(t, "text"))); n == 0 || n > 75 || text(m, "value") == "" || len(text(m, "value")) > 75 {
				return "an option"
			}
		}
	default:
		return fmt.Sprintf("there is no element %v", e["type"])
	}
	return ""
}
