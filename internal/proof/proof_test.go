// Package proof_test proves over the real binary what no single package can: that a planted secret is found nowhere that
// tend writes, and that bad input and a bad world get a clear error, an exit code with one meaning, and lose nothing.
package proof_test

import (
	"testing"

	"github.com/tendhq/tend/internal/testenv/tend"
)

func TestMain(m *testing.M) { tend.Main(m) }
