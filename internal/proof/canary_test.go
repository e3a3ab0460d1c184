package proof_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canary is a secret that is looked for, in the forms in which a careless program writes it.
type canary struct {
	text  string
	forms map[string]string // by what they are
}

func newCanary(text string) canary {
	c := canary{text, map[string]string{"plain": text}}
	for align := range 3 {
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			// The digits that hold nothing but the secret: the first and the last may share theirs with what is around.
			e := enc.EncodeToString(append(bytes.Repeat([]byte{'x'}, align), text...))
			c.forms[fmt.Sprint(name, " at ", align)] = e[(align*8+5)/6 : len(e)-1]
		}
	}
	c.forms["hex"] = hex.EncodeToString([]byte(text))
	c.forms["HEX"] = strings.ToUpper(c.forms["hex"])
	c.forms["query"] = url.QueryEscape(text)
	c.forms["path"] = url.PathEscape(text)
	var all strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&all, "%%%02x", b)
	}
	c.forms["percent"], c.forms["PERCENT"] = all.String(), strings.ToUpper(all.String())
	if b, err := json.Marshal(text); err == nil {
		c.forms["json"] = strings.Trim(string(b), `"`)
	}
	c.forms["html"] = html.EscapeString(text)
	return c
}

// in names the forms in which the secret stands in b.
func (c canary) in(b []byte) []string {
	var found []string
	for name, form := range c.forms {
		if i := bytes.Index(b, []byte(form)); i >= 0 {
			found = append(found, fmt.Sprintf("%s: …%q…", name, b[max(0, i-60):min(len(b), i+len(form)+30)]))
		}
	}
	return found
}

// scan looks for canaries in every file below a directory but the ones that are left out by their beginning.
func scan(t *testing.T, root string, cs []canary, but ...string) (files int) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, b := range but {
			if strings.HasPrefix(path, b) {
				return nil
			}
		}
		files++
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, c := range cs {
			for _, f := range append(c.in(b), c.in([]byte(path))...) {
				t.Errorf("%s holds a secret: %s", path, f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCanaryIsFound(t *testing.T) {
	t.Parallel()
	c := newCanary("plant+ed/7&value=?x")
	for _, s := range []string{
		"a plant+ed/7&value=?x b", base64.StdEncoding.EncodeToString([]byte("12plant+ed/7&value=?x45")),
		base64.StdEncoding.EncodeToString([]byte("1plant+ed/7&value=?x")), base64.URLEncoding.EncodeToString([]byte("plant+ed/7&value=?x")),
		hex.EncodeToString([]byte("plant+ed/7&value=?x")), url.QueryEscape("plant+ed/7&value=?x"), `{"a":"plant+ed/7\u0026value=?x"}`,
	} {
		if len(c.in([]byte(s))) == 0 {
			t.Errorf("not found in %q", s)
		}
	}
	if f := c.in([]byte("planted value")); len(f) > 0 {
		t.Error(f)
	}
}
