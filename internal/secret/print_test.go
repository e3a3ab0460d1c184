package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// TestNothingPrintsIt: no verb, encoding or logger shows a secret, wherever it is put.
func TestNothingPrintsIt(t *testing.T) {
	t.Parallel()
	const planted = "planted-hunter2"
	v := secret.New(planted)
	type holder struct {
		V secret.Value
		P *secret.Value
		M map[string]secret.Value
		L []any
	}
	h := holder{v, &v, map[string]secret.Value{"k": v}, []any{v, &v}}
	for _, x := range []any{v, &v, h, &h, []secret.Value{v}, secret.Found{Value: v, Version: "1"}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%T", "%t", "%p", "%U", "%c", "%b", "%e"} {
			if out := fmt.Sprintf(verb, x); reveals(out, planted) {
				t.Errorf("%s of %T shows %s", verb, x, out)
			}
		}
		b, err := json.Marshal(x)
		if err != nil || reveals(string(b), planted) {
			t.Errorf("JSON of %T: %s, %v", x, b, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "what", x, slog.Any("group", slog.GroupValue(slog.Any("in", x))))
		slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "what", x)
		if reveals(log.String(), planted) {
			t.Errorf("logs of %T: %s", x, log.String())
		}
	}
	err := errors.Join(fault.New(fault.Invalid, "bad %v %s %q", v, v, v), fault.Wrap(fault.Invalid, fmt.Errorf("inner %#v", h), "use %v", &h))
	if reveals(fmt.Sprintf("%v %+v %#v", err, err, err), planted) {
		t.Errorf("an error shows it: %v", err)
	}
	if v.Reveal() != planted {
		t.Error("whoever may, sees it")
	}
}

func reveals(out, secret string) bool {
	return strings.Contains(out, secret) || strings.Contains(out, "hunter2") || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", secret))
}
