package audit

import (
	"encoding/json"
	"time"

	"github.com/tendhq/tend/internal/entry"
)

// Record is an entry of the trail as it leaves the house: everything that its hashes are made of, and beside it in plain
// fields what people look for. Check compares those with the payload: nobody can change one of the two.
type Record struct {
	Allowed *bool           `json:"allowed,omitempty"` // of access that was decided
	At      time.Time       `json:"at"`
	By      *entry.Who      `json:"by,omitempty"`
	Epoch   uint64          `json:"epoch"`
	Erased  bool            `json:"erased,omitempty"`
	Hash    entry.Hash      `json:"hash"`
	Kind    entry.Kind      `json:"kind"`
	Object  string          `json:"object,omitempty"`  // the run, task, token, … that it is about
	Of      string          `json:"of,omitempty"`      // what kind of object
	Payload json.RawMessage `json:"payload,omitempty"` // the bytes that were hashed
	Prev    entry.Hash      `json:"prev"`
	Project string          `json:"project,omitempty"`
	Raw     []byte          `json:"raw,omitempty"` // in place of Payload, where that is no JSON
	Salt    entry.Salt      `json:"salt"`
	Seq     uint64          `json:"seq"`
	Stream  string          `json:"stream"`
	Sum     entry.Hash      `json:"sum"`
	Version int             `json:"version"`
	What    string          `json:"what,omitempty"` // what was done, or would have been
	Why     string          `json:"why,omitempty"`
}

// NewRecord gives the form in which an entry leaves the house.
func NewRecord(e entry.Entry) Record {
	r := Record{
		At: e.At, Epoch: e.Epoch, Erased: e.Erased, Hash: e.Hash, Kind: e.Kind, Prev: e.Prev, Salt: e.Salt, Seq: e.Seq,
		Stream: e.Stream, Sum: e.Sum, Version: e.Version,
	}
	if json.Valid(e.Payload) {
		r.Payload = e.Payload
	} else {
		r.Raw = e.Payload
	}
	r.plain(e)
	return r
}

// plain fills what people look for. What a newer tend wrote stays without: its hashes hold all the same.
func (r *Record) plain(e entry.Entry) {
	p, err := entry.Decode(e)
	if err != nil {
		return
	}
	switch p := p.(type) {
	case *entry.Audited:
		r.By, r.What, r.Object, r.Why = &p.By, p.What, p.Object, p.Why
	case *entry.AccessDecided:
		r.By, r.What, r.Object, r.Of, r.Project, r.Why, r.Allowed = &p.By, p.Verb, p.Object, p.Of, p.Project, p.Why, &p.Allowed
	case *entry.RunSealed:
		r.What, r.Object, r.Of, r.Why = "ended", p.Run, "run", p.Status
	}
}

// Entry gives the entry that a record was made of.
func (r *Record) Entry() entry.Entry {
	e := entry.Entry{
		Stream: r.Stream, Seq: r.Seq, Kind: r.Kind, Version: r.Version, At: r.At, Epoch: r.Epoch, Payload: r.Payload,
		Salt: r.Salt, Sum: r.Sum, Prev: r.Prev, Hash: r.Hash, Erased: r.Erased,
	}
	if r.Raw != nil {
		e.Payload = r.Raw
	}
	return e
}

// same tells whether the plain fields say what the payload says.
func (r *Record) same() bool {
	want := NewRecord(r.Entry())
	switch {
	case (r.By == nil) != (want.By == nil), r.By != nil && *r.By != *want.By:
		return false
	case (r.Allowed == nil) != (want.Allowed == nil), r.Allowed != nil && *r.Allowed != *want.Allowed:
		return false
	}
	return r.Object == want.Object && r.Of == want.Of && r.Project == want.Project && r.What == want.What && r.Why == want.Why
}
