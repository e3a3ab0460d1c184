// Package redact finds a text that slipped into what runs recorded, in whatever spelling, and says what is to stand in its
// place: in the streams of a run and of its tasks, in rows, and in blobs. It commits nothing. Blobs it does rewrite, when it
// is told to: they are replaced before the entries that name them.
//
// It does not find a text that a program compressed or encrypted, nor one that spans several lines of a log.
package redact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// Mark stands where a text was.
const Mark = "[redacted]"

// Text is a text that must go.
type Text struct {
	store store.Store
	blobs blob.Store
	forms []string
	count int
	moved map[entry.Ref]entry.Ref // blobs that were rewritten
}

// New prepares the search for a text of four bytes or more.
func New(s store.Store, b blob.Store, text string) (*Text, error) {
	if len(text) < 4 {
		return nil, fault.New(fault.Invalid, "%d characters are too few to erase: half of the record would go", len(text)).
			WithNext("give the whole value that slipped in")
	}
	return &Text{store: s, blobs: b, forms: forms(text), moved: map[entry.Ref]entry.Ref{}}, nil
}

// In tells whether the text stands in b.
func (t *Text) In(b []byte) bool {
	return slices.ContainsFunc(t.forms, func(f string) bool { return bytes.Contains(b, []byte(f)) })
}

// Found is what is to be replaced in what is recorded of a run.
type Found struct {
	Erase []store.Erasure
	Rows  []store.Row // of its tasks
	Count int         // places
}

// Run looks through a run whose blobs are those of root. With rewrite, blobs are replaced; without, they are only looked
// into, and references to them stay.
func (t *Text) Run(ctx context.Context, root, id string, rewrite bool) (Found, error) {
	var f Found
	streams := []string{"run/" + id}
	err := store.EachRow(ctx, t.store, store.Filter{Kind: "task", Parent: id}, func(row store.Row) {
		streams = append(streams, "task/"+row.ID)
		if body, hit := t.erase(row.Body); hit {
			name, _ := t.erase([]byte(row.Name))
			row.Body, row.Name = body, string(name)
			f.Rows = append(f.Rows, row)
		}
	})
	if err != nil {
		return f, err
	}
	t.count = 0 // rows are copies
	for _, s := range streams {
		if err := t.stream(ctx, root, s, rewrite, &f); err != nil {
			return f, err
		}
	}
	f.Count = t.count
	return f, nil
}

// Family lists a run, the runs that it called and that called it, and what went on from one of them: retries and
// rollbacks hold the same parameters and events.
func Family(ctx context.Context, s store.Store, id string) ([]string, error) {
	near := map[string][]string{}
	link := func(a, b string) {
		if a != "" && b != "" && a != b {
			near[a], near[b] = append(near[a], b), append(near[b], a)
		}
	}
	if err := store.EachRow(ctx, s, store.Filter{Kind: "run"}, func(r store.Row) {
		var row struct {
			Cause entry.Cause `json:"cause"`
		}
		if json.Unmarshal(r.Body, &row) == nil {
			link(r.ID, row.Cause.Parent)
			link(r.ID, row.Cause.Carry)
			link(r.ID, row.Cause.Undoes)
		}
	}); err != nil {
		return nil, err
	}
	all, seen := []string{id}, map[string]bool{id: true}
	for i := 0; i < len(all); i++ { // the list grows
		for _, n := range near[all[i]] {
			if !seen[n] {
				seen[n] = true
				all = append(all, n)
			}
		}
	}
	return all, nil
}

// Overlay is a store as it will be after erasures.
type Overlay struct {
	store.Store

	Erase []store.Erasure
}

// Read implements store.Store.
func (o Overlay) Read(ctx context.Context, stream string, from uint64, limit int) ([]entry.Entry, error) {
	page, err := o.Store.Read(ctx, stream, from, limit)
	for i := range page {
		for _, x := range o.Erase {
			if x.Stream == stream && x.Seq == page[i].Seq {
				page[i].Erase(x.Payload)
			}
		}
	}
	return page, err
}

func (t *Text) stream(ctx context.Context, root, stream string, rewrite bool, f *Found) error {
	for from := uint64(1); ; {
		page, err := t.store.Read(ctx, stream, from, 500)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for i := range page {
			p, hit := t.erase(page[i].Payload)
			q, inBlobs, err := t.payload(ctx, root, p, rewrite)
			if err != nil {
				return err
			}
			if (hit || inBlobs) && !json.Valid(q) {
				return fault.New(fault.Conflict, "%s entry %d would not be readable without this text", stream, page[i].Seq)
			}
			if hit || inBlobs {
				f.Erase = append(f.Erase, store.Erasure{Stream: stream, Seq: page[i].Seq, Payload: q})
			}
		}
		from = page[len(page)-1].Seq + 1
	}
}

// payload looks into the blobs that a payload names. With rewrite it rewrites them, and the references to them.
func (t *Text) payload(ctx context.Context, root string, payload []byte, rewrite bool) ([]byte, bool, error) {
	var refs []entry.Ref
	collect(payload, &refs)
	hit := false
	for _, ref := range refs {
		next, known := t.moved[ref]
		if !known {
			b, err := t.read(ctx, root, ref)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			clean, dirty := t.erase(b)
			if !dirty {
				continue
			}
			if !rewrite {
				hit = true
				continue
			}
			if next, err = t.blobs.Replace(ctx, root, ref, bytes.NewReader(clean)); err != nil {
				return nil, false, err
			}
			t.moved[ref] = next
		}
		hit = true
		before, _ := json.Marshal(ref)
		after, _ := json.Marshal(next)
		payload = bytes.ReplaceAll(payload, before, after)
	}
	return payload, hit, nil
}

func (t *Text) read(ctx context.Context, root string, ref entry.Ref) ([]byte, error) {
	r, err := t.blobs.Get(ctx, root, ref)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// collect finds blob references in a payload.
func collect(payload []byte, out *[]entry.Ref) {
	var v any
	if json.Unmarshal(payload, &v) != nil {
		return
	}
	var walk func(any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			if len(x) == 4 && x["id"] != nil && x["salt"] != nil && x["sum"] != nil && x["size"] != nil {
				b, _ := json.Marshal(x)
				var ref entry.Ref
				if json.Unmarshal(b, &ref) == nil {
					*out = append(*out, ref)
					return
				}
			}
			for _, e := range x {
				walk(e)
			}
		}
	}
	walk(v)
}
