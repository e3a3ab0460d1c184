package news_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/incident"
	"github.com/tendhq/tend/internal/message"
	"github.com/tendhq/tend/internal/news"
	"github.com/tendhq/tend/internal/value"
)

const base = "https://tend.example.org/"

func opened() *incident.State {
	return &incident.State{ID: "inc_1", Title: "The shop is slow", Severity: incident.Critical, Labels: map[string]string{"zone": "b", "app": "shop"}}
}

func TestStory(t *testing.T) {
	t.Parallel()
	acknowledged, nobody := string(incident.Acknowledged), ""
	for _, c := range []struct {
		name string
		p    entry.Payload
		step message.Step // "": it is worth no message
		want string
	}{
		{"opened", &entry.IncidentOpened{Title: "The shop is slow"}, message.Opens, "The shop is slow"},
		{"taken", &entry.IncidentUpdated{Status: &acknowledged, By: entry.Who{Name: "ada"}}, message.Takes, acknowledged + " (ada)"},
		{"without a commander", &entry.IncidentUpdated{Commander: &nobody}, message.Updates, "commander nobody"},
		{"nothing that people want to hear of", &entry.IncidentUpdated{}, "", ""},
		{"merged", &entry.IncidentMerged{Into: "inc_2"}, message.Ends, "Merged into inc_2"},
		{"another one merged into it", &entry.IncidentMerged{}, "", ""},
		{"resolved", &entry.IncidentResolved{}, message.Ends, "Resolved: The shop is slow"},
	} {
		m := news.Story(opened(), c.p, base)
		switch {
		case m == nil && c.step == "":
		case m == nil || m.Title != c.want || m.Step != c.step:
			t.Errorf("%s: %+v", c.name, m)
		case m.Links[0].URL != "https://tend.example.org/incidents/inc_1":
			t.Errorf("%s: it leads to %s", c.name, m.Links[0].URL)
		}
	}
}

// What is sealed stays hidden, however deep it is.
func TestQuestionHidesWhatIsSealed(t *testing.T) {
	t.Parallel()
	row := &engine.TaskRow{}
	row.Type, row.Title = "approve", "restart"
	row.Show = value.Object{"login": map[string]any{"user": "shop", "password": map[string]any{"$sealed": "c2VjcmV0"}}}
	row.Expires = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := news.Question("task_1", row, "", true)
	at := slices.IndexFunc(m.Facts, func(f message.Fact) bool { return f.Name == "login" })
	if at < 0 || strings.Contains(m.Facts[at].Value, "c2VjcmV0") || !strings.Contains(m.Facts[at].Value, "[hidden]") || !strings.Contains(m.Facts[at].Value, "shop") {
		t.Errorf("%+v", m.Facts)
	}
	if len(m.Buttons) != 2 || len(m.Links) != 0 {
		t.Errorf("%+v %+v", m.Buttons, m.Links)
	}
}

func TestRunEnded(t *testing.T) {
	t.Parallel()
	r := &entry.RunCreated{Name: "reclaim-disk"}
	good := news.RunEnded("run_1", r, &entry.RunEnded{Status: "succeeded"}, "")
	bad := news.RunEnded("run_1", r, &entry.RunEnded{Status: "failed", Fault: &entry.Fault{Message: "disk is gone"}, Doubts: []string{"clean"}}, "")
	if good.Step != message.Ends || bad.Step != message.Closes || bad.Text != "disk is gone" || bad.Facts[len(bad.Facts)-1].Value != "clean" {
		t.Errorf("%+v\n%+v", good, bad)
	}
}
