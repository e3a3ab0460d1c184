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
	for _, r := range httpapi.Routes() {
		if !strings.Contains(string(b), "| `"+r[0]+" "+r[1]+"` |") {
			t.Errorf("docs/operations.md says nothing of %s %s", r[0], r[1])
		}
	}
}
