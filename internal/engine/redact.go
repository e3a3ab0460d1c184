package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// redacted stands where an erased text was.
const redacted = "[redacted]"

// redact erases a text from a run: its own stream, its tasks' and its blobs. The chains hold, since they cover salted
// hashes of the payloads; the audit stream says who erased what and why.
func (e *Engine) redact(ctx context.Context, c Command) (Done, error) {
	if len(c.Text) < 4 {
		return Done{}, fault.New(fault.Invalid, "%d characters are too few to erase: half of the record would go", len(c.Text)).
			WithNext("give the whole value that slipped in")
	}
	root, err := e.root(ctx, c.Run)
	if err != nil {
		return Done{}, err
	}
	x := Commanded{Command: c}
	streams := []string{"run/" + c.Run}
	if err := e.eachRow(ctx, store.Filter{Kind: "task", Parent: c.Run}, func(r store.Row) { streams = append(streams, "task/"+r.ID) }); err != nil {
		return Done{}, err
	}
	r := eraser{forms: forms(c.Text)}
	for _, s := range streams {
		if err := e.eraseStream(ctx, root, s, &r, &x); err != nil {
			return Done{}, err
		}
	}
	if r.count == 0 {
		return Done{Run: c.Run, Note: "the text was not found"}, nil
	}
	x.Audit = &entry.Audited{By: c.By, What: "redacted", Object: c.Run, Why: c.Why, Detail: map[string]any{"places": int64(r.count)}}
	x.Command.Text = ""
	e.values.clear()
	d, err := e.command(ctx, x)
	d.Count = r.count
	return d, err
}

type eraser struct {
	forms []string
	count int
}

// forms are the spellings under which the text may stand.
func forms(text string) []string {
	quoted, _ := json.Marshal(text)
	out := []string{text, strings.Trim(string(quoted), `"`), base64.StdEncoding.EncodeToString([]byte(text)), hex.EncodeToString([]byte(text)), url.QueryEscape(text)}
	var uniq []string
	for _, f := range out {
		dup := false
		for _, u := range uniq {
			dup = dup || u == f
		}
		if !dup {
			uniq = append(uniq, f)
		}
	}
	return uniq
}

func (r *eraser) erase(b []byte) ([]byte, bool) {
	hit := false
	for _, f := range r.forms {
		if n := bytes.Count(b, []byte(f)); n > 0 {
			r.count += n
			hit = true
			b = bytes.ReplaceAll(b, []byte(f), []byte(redacted))
		}
	}
	return b, hit
}

func (e *Engine) eraseStream(ctx context.Context, root, stream string, r *eraser, x *Commanded) error {
	for from := uint64(1); ; {
		page, err := e.cfg.Store.Read(ctx, stream, from, 500)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for i := range page {
			p, hit := r.erase(page[i].Payload)
			q, blobs, err := e.eraseBlobs(ctx, root, p, r)
			if err != nil {
				return err
			}
			if hit || blobs {
				if !json.Valid(q) {
					return fault.New(fault.Conflict, "%s entry %d would not be readable without this text", stream, page[i].Seq)
				}
				x.Erase = append(x.Erase, store.Erasure{Stream: stream, Seq: page[i].Seq, Payload: q})
			}
		}
		from = page[len(page)-1].Seq + 1
	}
}

// eraseBlobs rewrites the blobs that a payload names, and the references to them.
func (e *Engine) eraseBlobs(ctx context.Context, root string, payload []byte, r *eraser) ([]byte, bool, error) {
	var refs []entry.Ref
	collect(payload, &refs)
	hit := false
	for _, ref := range refs {
		b, err := e.blob(ctx, root, ref)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		clean, dirty := r.erase(b)
		if !dirty {
			continue
		}
		hit = true
		next, err := e.cfg.Blobs.Replace(ctx, root, ref, bytes.NewReader(clean))
		if err != nil {
			return nil, false, err
		}
		before, _ := json.Marshal(ref)
		after, _ := json.Marshal(next)
		payload = bytes.ReplaceAll(payload, before, after)
	}
	return payload, hit, nil
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
