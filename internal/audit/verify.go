package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/id"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Report says what was verified.
type Report struct {
	Streams int
	Entries int
	Runs    int     // whose ends were compared with what the trail says of them
	Damaged []error // the first bad entry of each stream, of kind fault.Damaged
}

// damages collects what is wrong with streams; other errors end the reading.
type damages []error

func (d *damages) note(err error) error {
	if err == nil {
		return nil
	}
	if !fault.Is(err, fault.Damaged) && !fault.Is(err, fault.Newer) {
		return err
	}
	*d = append(*d, err)
	return nil
}

func (d damages) err() error { return errors.Join(d...) }

// MarkKind is the kind of the rows that remember how far a Follower came.
const MarkKind = "audit-mark"

// mark is the body of such a row.
type mark struct {
	Hash   entry.Hash `json:"hash"`
	Seq    uint64     `json:"seq"`
	Stream string     `json:"stream"`
}

func marks(ctx context.Context, r Reader, do func(row store.Row, m mark)) error {
	return store.EachRow(ctx, r, store.Filter{Kind: MarkKind}, func(row store.Row) {
		var m mark
		if json.Unmarshal(row.Body, &m) == nil && Valid(m.Stream) {
			do(row, m)
		}
	})
}

// Verify reads the whole trail. Three things are compared: each entry with its hashes and the entry before it, the ends of
// runs with what the trail says of them (in both directions), and the trail with what followers saw of it.
func Verify(ctx context.Context, r Reader) (Report, error) {
	v := verifier{r: r, ended: map[uint64]string{}, seen: map[string]map[uint64]entry.Hash{}}
	// What was seen is read first: a trail that grows meanwhile has it all the same.
	err := marks(ctx, r, func(_ store.Row, m mark) {
		if v.seen[m.Stream] == nil {
			v.seen[m.Stream] = map[uint64]entry.Hash{}
		}
		v.seen[m.Stream][m.Seq] = m.Hash
	})
	if err != nil {
		return v.out, err
	}
	err = store.EachRow(ctx, r, store.Filter{Kind: "run"}, func(row store.Row) {
		if st := run.Status(row.Status); st.Ended() && st != run.Quarantined {
			v.ended[short(row.ID)] = row.ID
		}
	})
	if err != nil {
		return v.out, err
	}
	names, err := Streams(ctx, r)
	if err != nil {
		return v.out, err
	}
	broken := map[string]bool{} // shards of which something cannot be read, or could not once
	for _, name := range names {
		bad, err := v.stream(ctx, name)
		if err != nil {
			return v.out, err
		}
		if bad {
			broken[base(name)] = true
		}
	}
	for _, name := range v.ended {
		shard, err := v.shard(ctx, name)
		if err != nil {
			return v.out, err
		}
		if !broken[shard] {
			v.bad("%s: it does not tell how %s ended: entries at its end are missing", shard, name)
		}
	}
	return v.out, nil
}

type verifier struct {
	r     Reader
	out   Report
	ended map[uint64]string // runs of which the trail must tell, by short
	seen  map[string]map[uint64]entry.Hash
}

func (v *verifier) bad(format string, a ...any) {
	v.out.Damaged = append(v.out.Damaged, fault.New(fault.Damaged, format, a...))
}

// short stands for an id where there may be a million of them.
func short(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// base gives the stream that a segment follows.
func base(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// shard names the audit stream of a run: that of the outermost one.
func (v *verifier) shard(ctx context.Context, name string) (string, error) {
	p, err := v.r.Rows(ctx, store.Filter{Kind: "run", ID: name, Limit: 1})
	if err != nil || len(p.Rows) == 0 {
		return id.AuditStream(id.Shard(name)), err
	}
	var body struct{ Cause entry.Cause }
	_ = json.Unmarshal(p.Rows[0].Body, &body) // a row that cannot be read says nothing
	if body.Cause.Root != "" {
		name = body.Cause.Root
	}
	return id.AuditStream(id.Shard(name)), nil
}

// stream verifies one stream. It tells whether something of it cannot be read.
func (v *verifier) stream(ctx context.Context, name string) (bad bool, err error) {
	seen, last := v.seen[name], uint64(0)
	err = each(ctx, v.r, name, 1, func(e *entry.Entry) error {
		last = e.Seq
		v.out.Entries++
		if h, ok := seen[e.Seq]; ok && h != e.Hash {
			return fault.New(fault.Damaged, "%s entry %d: it is another one than was seen before: the stream was written anew", name, e.Seq)
		}
		p, err := entry.Decode(*e)
		if err != nil {
			return err
		}
		switch p := p.(type) {
		case *entry.RunSealed:
			delete(v.ended, short(p.Run))
			v.out.Runs++
			return v.sealed(ctx, name, e.Seq, p)
		case *entry.Audited:
			bad = bad || p.What == "damaged"
		}
		return nil
	})
	if last > 0 || err != nil {
		v.out.Streams++
	}
	switch {
	case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
		v.out.Damaged = append(v.out.Damaged, err)
		return true, nil
	case err != nil:
		return true, err
	}
	for n := range seen {
		if n > last {
			v.bad("%s entry %d is missing: it was seen before, and the stream ends with entry %d", name, last+1, last)
			return true, nil
		}
	}
	return bad, nil
}

// sealed compares the end of a run with what the trail says of it. What is wrong with the run does not make the trail bad.
func (v *verifier) sealed(ctx context.Context, stream string, seq uint64, p *entry.RunSealed) error {
	list, err := read(ctx, v.r, "run/"+p.Run, p.Length, 2)
	switch {
	case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
		v.out.Damaged = append(v.out.Damaged, err)
	case err != nil:
		return err
	case len(list) == 0:
		v.bad("run/%s entry %d is missing: %s entry %d says that it ended %s there", p.Run, p.Length, stream, seq, p.Status)
	case len(list) > 1:
		v.bad("run/%s entry %d: %s entry %d says that it had ended %s before", p.Run, p.Length+1, stream, seq, p.Status)
	case list[0].Hash != p.Head:
		v.bad("run/%s entry %d: it is another one than %s entry %d says", p.Run, p.Length, stream, seq)
	}
	return nil
}

// Against tells whether the trail still has what somebody was given of it before: records as they were exported or shipped,
// which themselves are checked on the way (Check). The first one that is not there any more is told for each stream.
func Against(ctx context.Context, r Reader, next func() (Record, error)) (Report, error) {
	var out Report
	var c Check
	var page []entry.Entry // of the stream of the last record, as it is stored
	bad := map[string]bool{}
	for {
		x, err := next()
		if errors.Is(err, errEnd) {
			out.Streams = len(c.streams)
			return out, nil
		}
		if err == nil {
			err = c.Add(&x)
		}
		if fault.Is(err, fault.Damaged) {
			return out, fmt.Errorf("what it is compared with cannot be trusted: %w", err)
		}
		if err != nil {
			return out, err
		}
		out.Entries++
		if bad[x.Stream] {
			continue
		}
		if len(page) == 0 || page[0].Stream != x.Stream || x.Seq < page[0].Seq || x.Seq > page[len(page)-1].Seq {
			page, err = read(ctx, r, x.Stream, x.Seq, 1000)
			if err == nil && len(page) == 0 {
				err = fault.New(fault.Damaged, "%s entry %d is missing", x.Stream, x.Seq)
			}
		}
		if err == nil {
			if at := x.Seq - page[0].Seq; at >= uint64(len(page)) || page[at].Hash != x.Hash {
				err = fault.New(fault.Damaged, "%s entry %d: it is another one than was given before: the stream was written anew", x.Stream, x.Seq)
			}
		}
		if fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer) {
			out.Damaged = append(out.Damaged, err)
			bad[x.Stream], page = true, nil
			continue
		}
		if err != nil {
			return out, err
		}
	}
}
