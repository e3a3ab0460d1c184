package gitsync

import (
	"testing"

	"github.com/tendhq/tend/internal/document"
)

// Same is for tests.
var Same = same

// FuzzGit reads what git prints of a repository that others wrote.
func FuzzGit(f *testing.F) {
	const oid = "0123456789abcdef0123456789abcdef01234567"
	f.Add("100644 blob "+oid+"       5\ta/b.yaml\x00120000 blob "+oid+" 3\ta/link\x00160000 commit "+oid+" -\ta/sub\x00", []byte(oid+" blob 5\nhello\n"))
	f.Fuzz(func(t *testing.T, list string, out []byte) {
		items := listing(list, "a/")
		var small []item
		for _, i := range items {
			if i.size <= 1<<10 {
				small = append(small, i)
			}
		}
		if len(items) > 8 {
			return
		}
		files, err := contents(out, items, small)
		if err != nil {
			return
		}
		for i, x := range files {
			if x.Name != items[i].name || items[i].size <= 1<<10 && len(x.Content) != items[i].size && len(x.Content) <= document.MaxSize {
				t.Fatalf("%q has %d bytes, not %d", x.Name, len(x.Content), items[i].size)
			}
		}
	})
}
