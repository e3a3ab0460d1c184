package tend_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/testenv/tend"
)

func TestMain(m *testing.M) { tend.Main(m) }

func TestRun(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	r := h.Run("version")
	if r.Code != 0 || !strings.Contains(r.Out, "tend") || r.Took <= 0 {
		t.Errorf("%+v", r)
	}
	if r := h.Run("nonsense"); r.Code != 2 || r.Out != "" || r.Err == "" {
		t.Errorf("%+v", r)
	}
}
