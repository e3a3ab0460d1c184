package redact_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/blob"
	blobs "github.com/tendhq/tend/internal/blob/memory"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/redact"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/memory"
	"github.com/tendhq/tend/internal/value"
)

const secret = `p/l"a<n>t+ed?é==`

// shelf is a store with one run, whose steps gave what is written to it.
type shelf struct {
	store store.Store
	blobs blob.Store
	head  store.Head
	lease store.Lease
}

func open(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{store: memory.Open(new(memory.Disk)), blobs: blobs.New()}
	var err error
	if s.lease, err = s.store.Claim(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shelf) write(t *testing.T, p entry.Payload) {
	t.Helper()
	e, err := entry.New(time.Unix(1, 0), p)
	if err != nil {
		t.Fatal(err)
	}
	e.Stream, e.Seq, e.Prev, e.Epoch = "run/run_1", s.head.Length+1, s.head.Hash, s.lease.Epoch
	e.Seal()
	a := s.store.Commit(t.Context(), []store.Batch{{
		Epoch: s.lease.Epoch, Expect: []store.Expect{{Stream: e.Stream, Length: s.head.Length}}, Entries: []entry.Entry{e},
	}})
	if a[0].Err != nil {
		t.Fatal(a[0].Err)
	}
	s.head = store.Head{Length: e.Seq, Hash: e.Hash}
}

func (s *shelf) find(t *testing.T, text string, rewrite bool) redact.Found {
	t.Helper()
	r, err := redact.New(s.store, s.blobs, text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Run(t.Context(), "run_1", "run_1", rewrite)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEverySpelling(t *testing.T) {
	t.Parallel()
	plain, err := value.Canonical(secret)
	if err != nil {
		t.Fatal(err)
	}
	escaped, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is":     secret,
		"twice":        secret + secret,
		"JSON":         `{"password":` + string(plain) + `}`,
		"escaped JSON": `{"password":` + string(escaped) + `}`,
		"base64":       base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 URL":   base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"hex":          hex.EncodeToString([]byte(secret)),
		"HEX":          strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"query":        "https://example.com/?p=" + url.QueryEscape(secret),
		"path":         "https://example.com/" + url.PathEscape(secret),
		"cut after":    "before " + secret[:9] + "\n[… 12 bytes left out …]\nrest",
		"cut before":   "before\n[… 12 bytes left out …]\n" + secret[7:] + " rest",
		"cut in both":  "a" + secret[:5] + "\n[… 7 bytes left out …]\n" + secret[5:] + "[… 1 bytes left out …]\n" + secret[4:],
	} {
		s := open(t)
		s.write(t, &entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Succeeded, Output: value.Object{"value": "kept " + text + " kept"}})
		s.write(t, &entry.StepResult{Path: "steps[1]", Attempt: 1, Outcome: entry.Succeeded, Output: value.Object{"value": "nothing here"}})
		f := s.find(t, secret, true)
		if len(f.Erase) != 1 || f.Erase[0].Seq != 1 || f.Count == 0 {
			t.Errorf("%s: %+v", name, f)
			continue
		}
		got := string(f.Erase[0].Payload)
		if !json.Valid(f.Erase[0].Payload) || !strings.Contains(got, `kept`) || !strings.Contains(got, redact.Mark) {
			t.Errorf("%s: it became %s", name, got)
		}
		for i := 0; i+5 < len(secret); i++ {
			if part := secret[i : i+5]; strings.Contains(got, part) {
				t.Errorf("%s: %q is still in %s", name, part, got)
			}
		}
	}
}

func TestShortTextIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := redact.New(nil, nil, "abc"); !fault.Is(err, fault.Invalid) {
		t.Errorf("three characters gave %v", err)
	}
}

// TestBlobs: one that two entries name is rewritten once, and both follow; a mere look changes nothing.
func TestBlobs(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	ref, err := s.blobs.Put(ctx, "run_1", strings.NewReader("a line with "+secret+" in it\n"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.blobs.Put(ctx, "run_1", strings.NewReader("a line\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []entry.Ref{ref, other, ref} {
		s.write(t, &entry.StepResult{Path: "steps[0]", Attempt: 1, Outcome: entry.Succeeded, Log: &r})
	}
	if f := s.find(t, secret, false); len(f.Erase) != 2 {
		t.Errorf("a look found %d entries", len(f.Erase))
	}
	if _, err := s.blobs.Get(ctx, "run_1", ref); err != nil {
		t.Errorf("a look rewrote the blob: %v", err)
	}
	f := s.find(t, secret, true)
	if len(f.Erase) != 2 || f.Erase[0].Seq != 1 || f.Erase[1].Seq != 3 || !bytes.Equal(f.Erase[0].Payload, f.Erase[1].Payload) {
		t.Fatalf("%+v", f.Erase)
	}
	page, err := redact.Overlay{Store: s.store, Erase: f.Erase}.Read(ctx, "run/run_1", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := entry.Decode(page[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.blobs.Get(ctx, "run_1", *p.(*entry.StepResult).Log)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil || b.String() != "a line with "+redact.Mark+" in it\n" {
		t.Errorf("the blob holds %q: %v", b.String(), err)
	}
}
