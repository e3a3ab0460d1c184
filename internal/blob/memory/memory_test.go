package memory_test

import (
	"testing"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/blob/blobtest"
	"github.com/tendhq/tend/internal/blob/memory"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(*testing.T) blob.Store { return memory.New() })
}
