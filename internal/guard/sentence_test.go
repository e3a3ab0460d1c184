package guard_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/value"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	m := value.Duration(60e9)
	for want, s := range map[string]guard.Spec{
		"each target rests for 1m after an effect":                                                          {Cooldown: &guard.Cooldown{Every: m}},
		"at most 3 effects within 1m for each run; playbooks a-*; not slack/*":                              {Rate: &guard.Rate{Limit: 3, Within: m, Per: "run"}, Select: guard.Selection{Playbooks: []string{"a-*"}, Except: []string{"slack/*"}}},
		"at most 2 different targets within 1m for each playbook":                                           {Spread: &guard.Spread{Limit: 2, Within: m}},
		"at most 10 % of group web within 1m; in prod":                                                      {Share: &guard.Share{Group: "web", Percent: 10, Within: m}, Select: guard.Selection{Environments: []string{"prod"}}},
		"nothing changes Fri 16:00 to Mon 08:00 (weekend), Europe/Berlin":                                   {Freeze: &guard.Freeze{Windows: []guard.Window{{From: "Fri 16:00", To: "Mon 08:00", Why: "weekend"}}, Zone: "Europe/Berlin"}},
		"a person agrees where it cannot be undone or it is about more than 5 targets":                      {Approval: &guard.Approval{Irreversible: true, Above: 5}},
		"an approved change must cover it; labels tier=1":                                                   {Change: &guard.Change{Required: true}, Select: guard.Selection{Labels: map[string]string{"tier": "1"}}},
		"at most 1 at a time for each key; the next one is skipped":                                         {Concurrency: &guard.Concurrency{Limit: 1, Per: "key", Then: "skip"}},
		"stands down where more than 20 alarms of a name come in within 1m, or monitoring is silent for 1m": {StandDown: &guard.StandDown{Alarms: 20, Within: m, Blind: m}},
		"nothing but host:web-* is touched":                                                                 {Fence: []string{"host:web-*"}},
	} {
		if got := s.Sentence(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	// What is on by default says more than its name.
	for _, s := range guard.Defaults() {
		if got := s.Sentence(); got == s.Rule() || strings.Contains(got, "%!") || strings.Contains(got, "0s") {
			t.Errorf("%s: %s", s.Name, got)
		}
	}
}
