// Package secrettest is the conformance suite of secret.Provider: every provider passes it.
package secrettest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

// Harness makes providers for the suite.
type Harness struct {
	// With gives a provider that has exactly these secrets.
	With func(t *testing.T, secrets map[string]string) secret.Provider
	// Broken gives a provider that cannot find out what it has, if there is a way to be so. Planted may be within its
	// reach; it must never show.
	Broken func(t *testing.T, planted string) secret.Provider
	// OneLine tells that a secret cannot hold a line break.
	OneLine bool
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Run("finds what it has", func(t *testing.T) { t.Parallel(); finds(t, h) })
	t.Run("gives the exact text", func(t *testing.T) { t.Parallel(); exact(t, h) })
	t.Run("misses what it does not have", func(t *testing.T) { t.Parallel(); misses(t, h) })
	t.Run("refuses what is not a name", func(t *testing.T) { t.Parallel(); names(t, h) })
	t.Run("versions do not derive from values", func(t *testing.T) { t.Parallel(); versions(t, h) })
	t.Run("cannot be printed", func(t *testing.T) { t.Parallel(); unprintable(t, h) })
	t.Run("serves many at once", func(t *testing.T) { t.Parallel(); concurrent(t, h) })
	if h.Broken != nil {
		t.Run("a broken one is not an empty one", func(t *testing.T) { t.Parallel(); broken(t, h) })
	}
}

// Planted is a text that a test looks for in everything that was written.
const Planted = "pl4nted-Sécret/+value=="

func finds(t *testing.T, h Harness) {
	t.Helper()
	want := map[string]string{"database_password": "correct horse", "api_token": "battery staple", "x": "short one"}
	p := h.With(t, want)
	if p.Name() == "" || strings.ContainsAny(p.Name(), " \n") {
		t.Errorf("Name is %q", p.Name())
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got := find(t, p, name)
		if got.Value.Reveal() != want[name] {
			t.Errorf("%s: another value", name)
		}
		if got.Version == "" {
			t.Errorf("%s: no version", name)
		}
	}
}

func exact(t *testing.T, h Harness) {
	t.Helper()
	texts := []string{
		"  spaces around  ", "\ttab", "quotes \" ' `", "$HOME ${HOME} $(id)", "{{ .params.x }}", `back\slash\n`, "päßwörd 漢字 🔑",
		"a=b=c", "# no comment", "key: value", "[1, 2]", "null", "true", "007", "1e3", "-----BEGIN KEY-----", strings.Repeat("long", 4000),
	}
	if !h.OneLine {
		texts = append(texts, "two\nlines", "-----BEGIN KEY-----\nQUJD\n-----END KEY-----", "\nfirst empty", "windows\r\nlines")
	}
	have := map[string]string{}
	for i, text := range texts {
		have[fmt.Sprintf("secret_%d", i)] = text
	}
	p := h.With(t, have)
	for name, text := range have {
		if got := find(t, p, name).Value.Reveal(); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func misses(t *testing.T, h Harness) {
	t.Helper()
	for _, p := range []secret.Provider{h.With(t, nil), h.With(t, map[string]string{"database_password": Planted})} {
		for _, name := range []string{"other", "database_passwor", "database_password_", "prod/database_password", "database_password/x"} {
			_, err := p.Find(context.Background(), name)
			if !fault.Is(err, fault.Missing) {
				t.Errorf("%s: got %v, want an error of kind missing", name, err)
			}
			clean(t, fmt.Sprint(err, fault.NextOf(err)))
		}
	}
}

func names(t *testing.T, h Harness) {
	t.Helper()
	p := h.With(t, map[string]string{"database_password": Planted})
	for _, name := range []string{
		"", ".", "..", "/", "../database_password", "./database_password", "x/../database_password", "/etc/passwd", "database_password/",
		"database_password\x00", "database_password\n", " database_password", "database=password", "*", Planted, strings.Repeat("n", 5000),
	} {
		f, err := p.Find(context.Background(), name)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v, want an error of kind invalid", name, err)
		}
		if f.Value.Reveal() != "" {
			t.Errorf("%q: gave a value", name)
		}
		if err != nil {
			clean(t, fmt.Sprint(err, fault.NextOf(err)))
		}
	}
}

func versions(t *testing.T, h Harness) {
	t.Helper()
	p := h.With(t, map[string]string{"database_password": Planted})
	first, second := find(t, p, "database_password"), find(t, p, "database_password")
	if first.Version != second.Version {
		t.Errorf("the version changed from %q to %q although nothing else did", first.Version, second.Version)
	}
	clean(t, first.Version)
	sum := sha256.Sum256([]byte(Planted))
	lower := strings.ToLower(first.Version)
	for _, s := range []string{hex.EncodeToString(sum[:4]), base64.StdEncoding.EncodeToString(sum[:6])} {
		if strings.Contains(lower, strings.ToLower(s)) {
			t.Errorf("the version %q derives from the value", first.Version)
		}
	}
}

func unprintable(t *testing.T, h Harness) {
	t.Helper()
	p := h.With(t, map[string]string{"database_password": Planted})
	f := find(t, p, "database_password")
	for _, v := range []any{f, &f, f.Value, []any{f.Value}, map[string]any{"v": f.Value}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			clean(t, fmt.Sprintf(verb, v))
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		clean(t, string(b))
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("found", "secret", f, "value", f.Value)
	clean(t, log.String())
}

func concurrent(t *testing.T, h Harness) {
	t.Helper()
	p := h.With(t, map[string]string{"database_password": "correct horse"})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			f, err := p.Find(context.Background(), "database_password")
			if err != nil || f.Value.Reveal() != "correct horse" {
				t.Errorf("got %v", err)
			}
			if _, err := p.Find(context.Background(), "other"); !fault.Is(err, fault.Missing) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
}

func broken(t *testing.T, h Harness) {
	t.Helper()
	p := h.Broken(t, Planted)
	_, err := p.Find(context.Background(), "database_password")
	if err == nil || fault.Is(err, fault.Missing) || fault.Is(err, fault.Internal) {
		t.Errorf("got %v of kind %s: it must say that it could not find out", err, fault.KindOf(err))
	}
	clean(t, fmt.Sprint(err, fault.NextOf(err)))
	// A chain does not hand over to the next.
	chain := secret.Chain{p, h.With(t, map[string]string{"database_password": "correct horse"})}
	if f, err := chain.Find(context.Background(), "database_password"); err == nil {
		t.Errorf("a chain went on to the next provider and found version %q", f.Version)
	}
}

func find(t *testing.T, p secret.Provider, name string) secret.Found {
	t.Helper()
	f, err := p.Find(context.Background(), name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return f
}

// clean fails the test if text holds the planted secret, as it is or encoded.
func clean(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{
		Planted, hex.EncodeToString([]byte(Planted)), base64.StdEncoding.EncodeToString([]byte(Planted))[:16], "pl4nted",
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
			t.Errorf("a secret shows in %q", text)
		}
	}
}
