package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/cli"
	"github.com/tendhq/tend/internal/slack/slacktest"
)

// TestConnectSlack: the token is tried against a stand-in of Slack, and a message arrives.
func TestConnectSlack(t *testing.T) {
	t.Parallel()
	s, dir := slacktest.New(t), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"secrets/slack_token": slacktest.Token + "\n", "secrets/wrong": "xoxb-not-it\n", "server.yaml": "secrets: {dir: secrets}\nurl: https://tend.example.org/\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	connect := func(more ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := cli.Run(t.Context(), append([]string{"connect", "slack", "--config", filepath.Join(dir, "server.yaml"), "--api", s.URL()}, more...), cli.Streams{
			In: strings.NewReader(""), Out: &out, Err: &err, Getenv: func(n string) string { return map[string]string{"HOME": dir}[n] },
		})
		return code, out.String(), err.String()
	}
	code, out, told := connect("--channel", "#ops")
	if code != cli.ExitOK || !strings.Contains(out, "slack: {slack: {token: slack_token") || !strings.Contains(told, "Slack knows the token") || !strings.Contains(told, "the message is in") {
		t.Errorf("%d\n%s\n%s", code, out, told)
	}
	for _, want := range []string{"request_url: 'https://tend.example.org/slack/interactive'", "url: 'https://tend.example.org/slack/command'"} {
		if !strings.Contains(out, want) {
			t.Errorf("the app is not told %s:\n%s", want, out)
		}
	}
	if m := s.Messages(); len(m) != 1 {
		t.Errorf("%d messages arrived", len(m))
	}
	if code, _, told := connect("--token", "wrong"); code == cli.ExitOK || strings.Contains(told, "xoxb-not-it") {
		t.Errorf("%d %s", code, told)
	}
	if code, _, told := connect("--channel", "#nowhere"); code == cli.ExitOK {
		t.Errorf("there is no such channel: %s", told)
	}
}
