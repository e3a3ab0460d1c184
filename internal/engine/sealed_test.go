package engine_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/store/memory"
)

// TestSealed: a run whose tail was cut is noticed, although what is left of its chain is sound.
func TestSealed(t *testing.T) {
	t.Parallel()
	disk := new(memory.Disk)
	b := setup(t, disk, &hands{reply: says})
	id := b.start(t, "steps: [{uses: probe, with: {say: x}}]")
	if got := b.until(t, id); got != "succeeded" {
		t.Fatal(got)
	}
	if damaged, err := archive.New(memory.Open(disk)).Sealed(t.Context()); err != nil || len(damaged) > 0 {
		t.Fatal(damaged, err)
	}
	for _, cut := range []int{1, 100} {
		d := disk.Clone()
		d.Cut("run/"+id, cut)
		damaged, err := archive.New(memory.Open(d)).Sealed(t.Context())
		if err != nil || len(damaged) == 0 || !strings.Contains(damaged[0].Error(), "run/"+id) {
			t.Errorf("a cut of %d was not noticed: %v %v", cut, damaged, err)
		}
	}
}
