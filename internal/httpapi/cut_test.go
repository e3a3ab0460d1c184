package httpapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/wire"
)

func TestListsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 500_000)
	labels := map[string]string{"host": long, "app": "shop"}
	body, err := json.Marshal(map[string]any{"labels": labels, "n": 12345678901234567, "deep": []any{map[string]any{"x": long}}, "html": "<b>"})
	if err != nil {
		t.Fatal(err)
	}
	r := wire.Row{ID: "evt_1", Name: long, Labels: labels, Body: body}
	cutRow(&r, 0)
	if len(r.Body) != len(body) || r.Name != long {
		t.Error("0 cuts nothing")
	}
	cutRow(&r, 21)
	short := strings.Repeat("ä", 10) + "…"
	if r.Name != short || r.Labels["host"] != short || r.Labels["app"] != "shop" || labels["host"] != long {
		t.Errorf("%q %q", r.Name, r.Labels)
	}
	if want := `{"deep":[{"x":"` + short + `"}],"html":"<b>","labels":{"app":"shop","host":"` + short + `"},"n":12345678901234567}`; string(r.Body) != want {
		t.Errorf("the body is %s", r.Body)
	}
	r.Body = json.RawMessage(`{"text":"` + strings.Repeat("x", 40) + `"`) // it is not JSON: it stays what it is
	cutRow(&r, 21)
	if len(r.Body) != 50 {
		t.Errorf("%s", r.Body)
	}
}
