package cli_test

import (
	"os"
	"strings"
	"testing"
)

// TestFirstAlertIsWalked: what docs/first-alert.md tells people to type is typed in first_alert.txtar, in the same order.
func TestFirstAlertIsWalked(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/first-alert.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/first_alert.txtar")
	if err != nil {
		t.Fatal(err)
	}
	rest, n := string(script), 0
	// The shop and the server have ports of their own there, and begin in the order in which the script needs them.
	anyOrder := func(c string) bool { return strings.HasPrefix(c, "python3 ") || c == "tend serve" }
	for line := range strings.Lines(string(doc)) {
		c, shown := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		word, _, _ := strings.Cut(c, " ")
		if !shown || !strings.Contains(" tend curl sh python3 ", " "+word+" ") {
			continue
		}
		n++
		c = strings.NewReplacer("http://127.0.0.1:8421", "$SHOP", "evt_…", "$EVENT").Replace(c)
		if anyOrder(c) {
			if !strings.Contains(string(script), c) {
				t.Errorf("the script does not do: %s", c)
			}
			continue
		}
		_, after, found := strings.Cut(rest, "exec "+c+"\n")
		if !found {
			t.Errorf("the script does not do, in this order: %s", c)
			continue
		}
		rest = after
	}
	if n < 20 {
		t.Errorf("only %d commands were found", n)
	}
}
