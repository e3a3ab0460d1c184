package secret_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "database_access_key", "prod/shop/db-password", "tls.key", "_x_", "A1", strings.Repeat("x", 200)} {
		if err := secret.CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a.", "-rf", "a b", "a\nb", "a\x00b", "é", "a=b", "$HOME",
		"{{ .x }}", `a\b`, "\xff", strings.Repeat("x", 201),
	} {
		err := secret.CheckName(bad)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v", bad, err)
			continue
		}
		if len(bad) > 6 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: the error repeats it: %v", bad, err)
		}
	}
}
