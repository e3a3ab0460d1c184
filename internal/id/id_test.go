package id_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/id"
)

func TestChild(t *testing.T) {
	t.Parallel()
	parent, err := id.New("run", time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC), bytes.NewReader([]byte("12345678")))
	if err != nil {
		t.Fatal(err)
	}
	kid := id.Child(parent, "steps[0]#1")
	if !id.Valid("run", kid) || kid != id.Child(parent, "steps[0]#1") {
		t.Fatal(kid)
	}
	if !strings.HasPrefix(kid, parent[:len("run_")+10]) {
		t.Errorf("%s is not as old as %s", kid, parent)
	}
	seen := map[string]bool{parent: true, kid: true}
	for _, other := range []string{id.Child(parent, "steps[0]#2"), id.Child(parent, "steps[1]#1"), id.Child(kid, "steps[0]#1")} {
		if seen[other] || !id.Valid("run", other) {
			t.Errorf("%s again, or no id", other)
		}
		seen[other] = true
	}
	for _, odd := range []string{"", "run", "run_", "run_1", "test"} { // not a crash, whatever it is
		if got := id.Child(odd, "x"); len(got) < 20 {
			t.Errorf("%q gives %q", odd, got)
		}
	}
}
