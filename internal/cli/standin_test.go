package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tendhq/tend/internal/message/issue/issuetest"
	"github.com/tendhq/tend/internal/message/messagetest"
	"github.com/tendhq/tend/internal/slack/slacktest"
)

// slacks are the stand-ins of Slack, by the work directory of their script.
var slacks sync.Map

// write keeps a file as what there is, a line of JSON for each, until the script ends.
func write[T any](ts *testscript.TestScript, name string, all func() []T) {
	done, ended := make(chan struct{}), make(chan struct{})
	file := ts.MkAbs(name)
	ts.Check(os.WriteFile(file, nil, 0o600))
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		last := []byte{}
		for {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			for _, x := range all() {
				_ = e.Encode(x)
			}
			if !bytes.Equal(b.Bytes(), last) {
				last = b.Bytes()
				_ = os.WriteFile(file+".new", last, 0o600)
				_ = os.Rename(file+".new", file)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	ts.Defer(func() {
		close(done)
		<-ended
	})
}

// tracker github|gitlab FILE starts a stand-in of the issues of one of them, and makes the address of its API $TRACKER. FILE
// holds what is there.
func tracker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tracker github|gitlab FILE")
	}
	s := issuetest.Start(args[0])
	ts.Defer(s.Close)
	ts.Setenv("TRACKER", s.URL())
	write(ts, args[1], s.Issues)
}

// slack is a stand-in of a workspace. What is answered to the person is in the file slack.out.
//
//	slack start FILE                     $SLACK is the address of its API; FILE holds the messages that are there
//	slack behave good|limited|broken
//	slack command SERVER USER TEXT…      somebody types /tend TEXT
//	slack press SERVER USER BUTTON VALUE
//	slack menu SERVER USER MENU VALUE
//	slack submit SERVER USER [BLOCK=VALUE…]   of the form that was shown last
func slack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: slack start|behave|command|press|menu|submit …")
	}
	if args[0] == "start" {
		s := slacktest.Start()
		ts.Defer(s.Close)
		slacks.Store(ts.Getenv("WORK"), s)
		ts.Setenv("SLACK", s.URL())
		write(ts, args[1], s.Messages)
		return
	}
	x, ok := slacks.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("slack start comes first")
	}
	s := x.(*slacktest.Server) //nolint:forcetypeassert // nothing else is stored
	if args[0] == "behave" {
		s.Behave(messagetest.Mode(args[1]))
		return
	}
	if len(args) < 3 {
		ts.Fatalf("usage: slack %s SERVER USER …", args[0])
	}
	trigger, answered, path := s.Trigger(time.Now()), len(s.Answers()), "/slack/interactive"
	var body []byte
	switch rest := args[3:]; {
	case args[0] == "command":
		path = "/slack/command"
		body = slacktest.Command(args[2], strings.Join(rest, " "), s.AnswerURL(), trigger)
	case args[0] == "press" && len(rest) == 2:
		body = slacktest.Press(args[2], rest[0], rest[1], s.AnswerURL(), trigger)
	case args[0] == "menu" && len(rest) == 2:
		body = slacktest.Menu(args[2], rest[0], rest[1], s.AnswerURL(), trigger)
	case args[0] == "submit":
		views := s.Views()
		if len(views) == 0 {
			ts.Fatalf("no form was shown")
		}
		values := map[string]any{}
		for _, v := range rest {
			name, text, _ := strings.Cut(v, "=")
			values[name] = text
		}
		var err error
		body, err = views[len(views)-1].Submit(args[2], values)
		ts.Check(err)
	default:
		ts.Fatalf("usage: slack start|behave|command|press|menu|submit …")
	}
	said := post(ts, args[1]+path, body)
	// What is not said at once comes to the address for answers.
	for deadline := time.Now().Add(5 * time.Second); said == "" && args[0] != "command" && len(s.Answers()) == answered && time.Now().Before(deadline); {
		pause := time.NewTimer(10 * time.Millisecond)
		<-pause.C
		if args[0] == "press" && slices.ContainsFunc(s.Views(), func(v slacktest.View) bool { return v.Trigger == trigger }) {
			break
		}
	}
	if all := s.Answers(); said == "" && len(all) > answered {
		said = all[len(all)-1]
	}
	ts.Check(os.WriteFile(ts.MkAbs("slack.out"), []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(said)), 0o600))
}

func post(ts *testscript.TestScript, address string, body []byte) string {
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	ts.Check(err)
	slacktest.Sign(r, body, time.Now())
	res, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", res.Status, b)
	}
	return string(b)
}
