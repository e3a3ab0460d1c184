package disk_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/tendhq/tend/internal/store/sqlite/disk"
)

func write(file string, off int64, data string) disk.Op {
	return disk.Op{Kind: disk.Write, File: file, Off: off, Data: []byte(data)}
}

// TestCut: what was synced is there, and of the rest anything may be.
func TestCut(t *testing.T) {
	t.Parallel()
	sync := disk.Op{Kind: disk.Sync, File: "a"}
	for name, c := range map[string]struct {
		ops  []disk.Op
		safe string   // what is left when nothing else is kept; "-" is no file
		may  []string // what else chance may leave
	}{
		"nothing":        {nil, "-", nil},
		"not synced":     {[]disk.Op{write("a", 0, "x")}, "-", []string{"x"}},
		"synced":         {[]disk.Op{write("a", 0, "xy"), sync}, "xy", nil},
		"overwritten":    {[]disk.Op{write("a", 0, "xy"), sync, write("a", 1, "z")}, "xy", []string{"xz"}},
		"a gap":          {[]disk.Op{write("a", 0, "xy"), write("a", 3, "z"), sync}, "xy\x00z", nil},
		"another's sync": {[]disk.Op{write("a", 0, "x"), write("b", 0, "x"), {Kind: disk.Sync, File: "b"}}, "-", []string{"x"}},
		"truncated":      {[]disk.Op{write("a", 0, "xy"), sync, {Kind: disk.Truncate, File: "a", Off: 1}}, "xy", []string{"x"}},
		"deleted":        {[]disk.Op{write("a", 0, "x"), sync, {Kind: disk.Delete, File: "a"}}, "x", []string{"-"}},
		"deleted for certain": {[]disk.Op{
			write("a", 0, "x"), sync, {Kind: disk.Delete, File: "a"}, {Kind: disk.Sync, File: "b", Dir: true},
		}, "-", nil},
		"made anew": {[]disk.Op{
			write("a", 0, "xy"), sync, {Kind: disk.Delete, File: "a", Dir: true}, write("a", 0, "z"), sync,
		}, "z", nil},
	} {
		cut := func(r *rand.Rand) string {
			dir := t.TempDir()
			if err := disk.Cut(c.ops, dir, r); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(dir, "a"))
			if os.IsNotExist(err) {
				return "-"
			}
			return string(b)
		}
		if got := cut(nil); got != c.safe {
			t.Errorf("%s: %q is safe, not %q", name, got, c.safe)
		}
		allowed, seen := map[string]bool{c.safe: true}, map[string]bool{}
		for _, m := range c.may {
			allowed[m] = true
		}
		for seed := range uint64(60) {
			got := cut(rand.New(rand.NewPCG(seed, 1)))
			seen[got] = true
			if !allowed[got] {
				t.Errorf("%s: %q was left", name, got)
			}
		}
		if len(seen) != len(allowed) {
			t.Errorf("%s: only %v of %v ever happened", name, seen, allowed)
		}
	}
}

// TestTorn: a write may reach the disk by sectors.
func TestTorn(t *testing.T) {
	t.Parallel()
	page := make([]byte, 4096)
	for i := range page {
		page[i] = 1
	}
	ops := []disk.Op{
		{Kind: disk.Write, File: "a", Data: make([]byte, 4096)},
		{Kind: disk.Sync, File: "a"},
		{Kind: disk.Write, File: "a", Data: page},
	}
	torn := 0
	for seed := range uint64(50) {
		dir := t.TempDir()
		if err := disk.Cut(ops, dir, rand.New(rand.NewPCG(seed, 1))); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "a"))
		if err != nil || len(b) != 4096 {
			t.Fatal(len(b), err)
		}
		sum := 0
		for at := 0; at < len(b); at += 512 {
			for _, x := range b[at : at+512] {
				if x != b[at] {
					t.Fatalf("the sector at %d is torn itself", at)
				}
			}
			sum += int(b[at])
		}
		if sum > 0 && sum < 8 {
			torn++
		}
	}
	if torn == 0 {
		t.Error("nothing was ever torn")
	}
}
