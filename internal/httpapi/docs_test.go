package httpapi_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/httpapi"
)

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range httpapi.Routes(httpapi.Config{}) {
		if !strings.Contains(string(b), "| `"+r.Method+" "+r.Pattern+"` |") {
			t.Errorf("docs/operations.md says nothing of %s %s", r.Method, r.Pattern)
		}
	}
}
