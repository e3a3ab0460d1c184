// Package slacktest is a stand-in of Slack for tests. It follows the published documentation of the methods that tend uses:
// tokens, forms and JSON, errors with status 200, names and ids of channels, metadata, threads, uploads in three steps, rate
// limits. It is no Slack: what it does not know, it refuses.
package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/message/messagetest"
)

// Token and Signing are what the stand-in knows.
const (
	Token   = "xoxb-planted-slack-token"
	Signing = "planted-slack-signing-secret"
	Team    = "T0TEND"
)

// Message is one that is there.
type Message struct {
	ID      string // of its metadata
	Channel string
	TS      string
	Thread  string
	Text    string
	Blocks  []any
}

// File is one that was shared.
type File struct {
	Channel, Title, Name, Comment, Content string
}

// Server is the stand-in.
type Server struct {
	web *httptest.Server

	mu       sync.Mutex
	mode     messagetest.Mode
	messages []Message
	files    []File
	pending  map[string]*File
	channels map[string]string // name → id
	archived []string
	invited  map[string][]string
	users    map[string][2]string // id → name, e-mail address
	calls    []string
	answers  []string // what was sent to response_url
	views    []View
	triggers map[string]time.Time // that can still open a view
	count    int
	base     int64
}

// View is a form that was shown.
type View struct {
	Trigger string
	Title   string
	Private string
	Blocks  []any
}

// New starts one, with the channels #ops (C0OPS) and #db (C0DB).
func New(t testing.TB) *Server {
	t.Helper()
	s := Start()
	t.Cleanup(s.Close)
	return s
}

// Start is New for whoever ends it by Close.
func Start() *Server {
	s := &Server{
		mode: messagetest.Good, pending: map[string]*File{}, invited: map[string][]string{}, triggers: map[string]time.Time{},
		channels: map[string]string{"ops": "C0OPS", "db": "C0DB"},
		users:    map[string][2]string{"U0ALICE": {"Alice", "alice@example.org"}, "U0BOB": {"Bob", "bob@example.org"}, "U0CAROL": {"Carol", "carol@example.org"}, "U0ROOT": {"Root", "root@example.org"}, "U0EVE": {"Eve", ""}},
		base:     time.Now().Unix(),
	}
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close ends it.
func (s *Server) Close() { s.web.Close() }

// Views gives the forms that were shown.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

// Trigger makes an id that opens one view, within three seconds of at.
func (s *Server) Trigger(at time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	id := fmt.Sprintf("%d.%d.trigger", s.base, s.count)
	s.triggers[id] = at
	return id
}

// URL is the address of its API.
func (s *Server) URL() string { return s.web.URL + "/api" }

// AnswerURL is an address for answers to commands and presses.
func (s *Server) AnswerURL() string { return s.web.URL + "/answer" }

// Behave says how it behaves from now on.
func (s *Server) Behave(m messagetest.Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
}

// Arrived gives the ids of messages, in order.
func (s *Server) Arrived() []string {
	var out []string
	for _, m := range s.Messages() {
		out = append(out, m.ID)
	}
	return out
}

// Messages gives the messages that are there, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Files gives the files that were shared.
func (s *Server) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.files)
}

// Calls counts the calls of a method.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if c == method {
			n++
		}
	}
	return n
}

// Answers gives what was sent to AnswerURL.
func (s *Server) Answers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

// Archived gives the channels that were archived, and Invited who was let into a channel.
func (s *Server) Archived() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.archived)
}

// Invited gives who was let into a channel.
func (s *Server) Invited(channel string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.invited[channel])
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == "/answer" {
		s.mu.Lock()
		s.answers = append(s.answers, string(body))
		s.mu.Unlock()
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/upload/"); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		f, ok := s.pending[id]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		f.Content = string(body)
		_, _ = fmt.Fprintf(w, "OK - %d", len(body))
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/api/")
	if !ok || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	in, err := read(r.Header.Get("Content-Type"), body)
	if err != nil {
		answer(w, map[string]any{"ok": false, "error": "invalid_json"})
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, method)
	mode := s.mode
	s.mu.Unlock()
	writes := method == "chat.postMessage" || method == "chat.update" || method == "files.completeUploadExternal" || method == "conversations.create"
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token || mode == messagetest.Locked:
		answer(w, map[string]any{"ok": false, "error": "invalid_auth"})
		return
	case mode == messagetest.Limited:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"ok":false,"error":"ratelimited"}`)
		return
	case mode == messagetest.Broken:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case mode == messagetest.Wrong && writes:
		answer(w, map[string]any{"ok": false, "error": "invalid_blocks"})
		return
	}
	out := s.do(method, in)
	if writes && mode == messagetest.Deaf {
		<-r.Context().Done()
		return
	}
	if writes && mode == messagetest.Cut {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	answer(w, out)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

// read reads arguments, which methods take as a form, or as JSON.
func read(media string, body []byte) (map[string]any, error) {
	in := map[string]any{}
	if strings.HasPrefix(media, "application/json") {
		return in, json.Unmarshal(body, &in)
	}
	form, err := url.ParseQuery(string(body))
	for k := range form {
		in[k] = form.Get(k)
	}
	return in, err
}

func text(in map[string]any, name string) string {
	s, _ := in[name].(string)
	return s
}

func no(why string) map[string]any { return map[string]any{"ok": false, "error": why} }

func (s *Server) channel(name string) string {
	for n, id := range s.channels {
		if name == n || name == "#"+n || name == id {
			return id
		}
	}
	if u, ok := strings.CutPrefix(name, "D"); ok && s.users["U"+u][0] != "" {
		return name
	}
	if u, ok := strings.CutPrefix(name, "U"); ok && s.users[name][0] != "" {
		return "D" + u
	}
	return ""
}

func (s *Server) do(method string, in map[string]any) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.channel(text(in, "channel"))
	switch method {
	case "auth.test":
		return map[string]any{"ok": true, "team": "Example", "user": "tend", "team_id": Team}
	case "chat.postMessage":
		return s.post(id, in)
	case "chat.update":
		for i, m := range s.messages {
			if m.Channel == id && m.TS == text(in, "ts") {
				s.messages[i].Text = text(in, "text")
				s.messages[i].Blocks, _ = in["blocks"].([]any)
				return map[string]any{"ok": true, "channel": id, "ts": m.TS}
			}
		}
		return no("message_not_found")
	case "conversations.history", "conversations.replies":
		return s.history(method, id, in)
	case "conversations.list":
		var list []any
		for n, id := range s.channels {
			list = append(list, map[string]any{"id": id, "name": n})
		}
		return map[string]any{"ok": true, "channels": list, "response_metadata": map[string]any{"next_cursor": ""}}
	case "conversations.create":
		name := text(in, "name")
		switch {
		case s.channels[name] != "":
			return no("name_taken")
		case name == "" || len(name) > 80 || name != strings.ToLower(name) || strings.ContainsAny(name, " .,"):
			return no("invalid_name_specials")
		}
		s.count++
		s.channels[name] = fmt.Sprintf("C%dNEW", s.count)
		return map[string]any{"ok": true, "channel": map[string]any{"id": s.channels[name], "name": name}}
	case "conversations.archive":
		switch {
		case id == "":
			return no("channel_not_found")
		case slices.Contains(s.archived, id):
			return no("already_archived")
		}
		s.archived = append(s.archived, id)
		return map[string]any{"ok": true}
	case "conversations.setTopic", "conversations.setPurpose":
		if id == "" {
			return no("channel_not_found")
		}
		return map[string]any{"ok": true}
	case "conversations.invite":
		if id == "" {
			return no("channel_not_found")
		}
		for u := range strings.SplitSeq(text(in, "users"), ",") {
			if s.users[u][0] == "" {
				return no("user_not_found")
			}
			if slices.Contains(s.invited[id], u) {
				return no("already_in_channel")
			}
			s.invited[id] = append(s.invited[id], u)
		}
		return map[string]any{"ok": true}
	case "conversations.open":
		if d := s.channel(text(in, "users")); d != "" {
			return map[string]any{"ok": true, "channel": map[string]any{"id": d}}
		}
		return no("user_not_found")
	default:
		return s.more(method, in)
	}
}

func (s *Server) more(method string, in map[string]any) map[string]any {
	switch method {
	case "views.open":
		return s.show(in)
	case "users.lookupByEmail":
		for id, u := range s.users {
			if u[1] != "" && u[1] == text(in, "email") {
				return s.user(id)
			}
		}
		return no("users_not_found")
	case "users.info":
		if s.users[text(in, "user")][0] == "" {
			return no("user_not_found")
		}
		return s.user(text(in, "user"))
	case "files.getUploadURLExternal":
		n, err := strconv.Atoi(text(in, "length"))
		if text(in, "filename") == "" || err != nil || n <= 0 {
			return no("invalid_arguments")
		}
		s.count++
		id := fmt.Sprintf("F%d", s.count)
		s.pending[id] = &File{Name: text(in, "filename")}
		return map[string]any{"ok": true, "upload_url": s.web.URL + "/upload/" + id, "file_id": id}
	case "files.completeUploadExternal":
		list, _ := in["files"].([]any)
		for _, x := range list {
			m, _ := x.(map[string]any)
			f := s.pending[text(m, "id")]
			c := text(in, "channel_id")
			if f == nil || f.Content == "" {
				return no("file_not_found")
			}
			if !strings.HasPrefix(c, "C") && !strings.HasPrefix(c, "D") || s.channel(c) == "" { // ids only
				return no("channel_not_found")
			}
			f.Channel, f.Title, f.Comment = c, text(m, "title"), text(in, "initial_comment")
			s.files = append(s.files, *f)
		}
		return map[string]any{"ok": true, "files": list}
	default:
		return no("unknown_method")
	}
}

func (s *Server) user(id string) map[string]any {
	u := s.users[id]
	return map[string]any{"ok": true, "user": map[string]any{
		"id": id, "team_id": Team, "name": strings.ToLower(u[0]), "is_email_confirmed": u[1] != "", "profile": map[string]any{"real_name": u[0], "email": u[1]},
	}}
}

func (s *Server) post(id string, in map[string]any) map[string]any {
	blocks, _ := in["blocks"].([]any)
	switch {
	case id == "":
		return no("channel_not_found")
	case text(in, "text") == "" && len(blocks) == 0:
		return no("no_text")
	case len(text(in, "text")) > 40_000:
		return no("msg_too_long")
	case len(blocks) > 50:
		return no("invalid_blocks")
	}
	thread := text(in, "thread_ts")
	if thread != "" && !slices.ContainsFunc(s.messages, func(m Message) bool { return m.Channel == id && m.TS == thread }) {
		return no("thread_not_found")
	}
	s.count++
	m := Message{Channel: id, TS: fmt.Sprintf("%d.%06d", s.base, s.count), Thread: thread, Text: text(in, "text"), Blocks: blocks}
	if meta, ok := in["metadata"].(map[string]any); ok {
		p, _ := meta["event_payload"].(map[string]any)
		m.ID = text(p, "id")
	}
	s.messages = append(s.messages, m)
	return map[string]any{"ok": true, "channel": id, "ts": m.TS, "message": map[string]any{"text": m.Text}}
}

func (s *Server) history(method, id string, in map[string]any) map[string]any {
	if id == "" || !strings.HasPrefix(text(in, "channel"), "C") && !strings.HasPrefix(text(in, "channel"), "D") {
		return no("channel_not_found")
	}
	oldest, _ := strconv.ParseFloat(text(in, "oldest"), 64)
	var list []any
	for _, m := range slices.Backward(s.messages) {
		at, _ := strconv.ParseFloat(m.TS, 64)
		if m.Channel != id || at < oldest || method == "conversations.history" && m.Thread != "" ||
			method == "conversations.replies" && m.Thread != text(in, "ts") && m.TS != text(in, "ts") {
			continue
		}
		x := map[string]any{"type": "message", "ts": m.TS, "text": m.Text}
		if m.ID != "" && text(in, "include_all_metadata") == "true" {
			x["metadata"] = map[string]any{"event_type": "tend_message", "event_payload": map[string]any{"id": m.ID}}
		}
		list = append(list, x)
	}
	// A page is as small as Slack may make it.
	from, _ := strconv.Atoi(text(in, "cursor"))
	to, cursor := min(from+2, len(list)), ""
	if to < len(list) {
		cursor = strconv.Itoa(to)
	}
	return map[string]any{"ok": true, "messages": list[min(from, len(list)):to], "response_metadata": map[string]any{"next_cursor": cursor}}
}
