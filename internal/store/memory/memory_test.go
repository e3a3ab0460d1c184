package memory_test

import (
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) storetest.Open {
		d := new(memory.Disk)
		return func() (store.Store, error) { return memory.Open(d), nil }
	})
}

// TestDamage: an altered entry is named and not served.
func TestDamage(t *testing.T) {
	t.Parallel()
	d := new(memory.Disk)
	s := memory.Open(d)
	for _, name := range []string{"run/a", "run/b"} {
		b := storetest.Append(0, storetest.Chain(name, nil, 5, 50)...)
		if a := s.Commit(t.Context(), []store.Batch{b})[0]; a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	before := d.Clone()
	d.Tamper("run/a", 3, func(e *entry.Entry) { e.Payload[2] ^= 1 })
	d.Tamper("run/a", 9, func(*entry.Entry) { t.Error("there is no such entry") })
	if got, err := s.Read(t.Context(), "run/a", 1, 0); !fault.Is(err, fault.Damaged) || got != nil || !strings.Contains(err.Error(), "run/a entry 3") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := s.Read(t.Context(), "run/b", 1, 0); len(got) != 5 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, damaged, err := s.Verify(t.Context()); len(damaged) != 1 || err != nil {
		t.Errorf("%v, %v", damaged, err)
	}
	if _, _, damaged, err := memory.Open(before).Verify(t.Context()); len(damaged) != 0 || err != nil {
		t.Errorf("the clone is damaged, too: %v, %v", damaged, err)
	}
}

// TestRestored: a clone that is restored is another instance, and halted.
func TestRestored(t *testing.T) {
	t.Parallel()
	d := new(memory.Disk)
	s := memory.Open(d)
	c := d.Clone()
	c.Restored("restored from a backup")
	a, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := memory.Open(c).Identity(t.Context())
	if err != nil || a.Instance == b.Instance || b.Halted != "restored from a backup" || a.Halted != "" {
		t.Errorf("%+v became %+v, %v", a, b, err)
	}
}
