// Package wire is the JSON of tend's HTTP interface: what requests and answers look like, how errors travel, and how a
// live stream is framed. The server (httpapi) and the Go client (client) share it, so that both sides read one table.
//
// Data keeps its types: integers arrive as int64. Payloads of entries travel as the bytes that were hashed, so that a
// client can verify a chain by itself.
package wire

import (
	"encoding/json"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Via says how a request reached tend: the header that the command line sets, so that entries tell a terminal from an
// inbox. A server trusts it for nothing else.
const Via = "Tend-Via"

// Start asks for a run. Program is the compiled closure.
type Start struct {
	Cause    entry.Cause     `json:"cause,omitzero"`
	Dir      string          `json:"dir,omitempty"`
	Event    value.Object    `json:"event,omitempty"`
	Guards   []guard.Spec    `json:"guards,omitempty"`
	Metadata value.Object    `json:"metadata,omitempty"`
	Params   value.Object    `json:"params,omitempty"`
	Program  json.RawMessage `json:"program"`
	Request  string          `json:"request,omitempty"`
	Source   string          `json:"source,omitempty"`
	Stepping bool            `json:"stepping,omitempty"`
}

// Started names the run.
type Started struct {
	Outputs  map[string]any `json:"outputs,omitempty" doc:"Of a run that ended while it was waited for."`
	Run      string         `json:"run"`
	Status   string         `json:"status,omitempty" doc:"How it ended while it was waited for; left out when it goes on."`
	Withheld []string       `json:"withheld,omitempty" doc:"Outputs that hold something sensitive."`
}

// Command is a person's command to the run that the address names. Who gives it is known from the connection.
type Command struct {
	All    bool         `json:"all,omitempty"`
	Params value.Object `json:"params,omitempty"`
	Path   string       `json:"path,omitempty"`
	Text   string       `json:"text,omitempty"`
	Verb   engine.Verb  `json:"verb"`
	Why    string       `json:"why,omitempty"`
}

// Answer is a person's answer to the task that the address names.
type Answer struct {
	Choice string       `json:"choice"`
	Output value.Object `json:"output,omitempty"`
	Why    string       `json:"why,omitempty"`
}

// Answered says what became of the task.
type Answered struct {
	Status string `json:"status"`
}

// Send is an outside event.
type Send struct {
	Key     string       `json:"key,omitempty"`
	Name    string       `json:"name"`
	Payload value.Object `json:"payload,omitempty"`
}

// Sent names the runs that the event reached.
type Sent struct {
	Runs []string `json:"runs"`
}

// Me tells who asks, as the server knows them.
type Me struct {
	From   string         `json:"from,omitempty" doc:"Address that the request came from."`
	Groups []string       `json:"groups" doc:"As the issuer says, and the duties that they have now."`
	ID     string         `json:"id" doc:"Stable: user:…, token:…, workload:…, os:…"`
	Local  bool           `json:"local" doc:"The owner of the data directory, over its socket."`
	May    []access.Power `json:"may" doc:"What they may do, so that nothing else is offered to them. What is bound to labels of objects is left out."`
	Name   string         `json:"name" doc:"For people."`
	Scope  *access.Scope  `json:"scope,omitempty" doc:"The bounds of a token: it may do less than who it belongs to."`
}

// Unhalt lets a halted store move again.
type Unhalt struct {
	Why string `json:"why,omitempty"`
}

// Unhalted lists the steps that were in flight and are in doubt now.
type Unhalted struct {
	Doubts []string `json:"doubts"`
}

// Backup asks for a copy at a path of the owner's file system.
type Backup struct {
	Path string `json:"path"`
}

// Row is a store.Row.
type Row struct {
	At      time.Time         `json:"at,omitzero"`
	Body    json.RawMessage   `json:"body,omitempty"`
	Due     time.Time         `json:"due,omitzero"`
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Labels  map[string]string `json:"labels,omitempty" doc:"Roles can be bound by them."`
	Name    string            `json:"name,omitempty"`
	Parent  string            `json:"parent,omitempty"`
	Project string            `json:"project,omitempty"`
	Status  string            `json:"status,omitempty"`
	Tag     string            `json:"tag,omitempty"`
}

// FromRow gives the wire form.
func FromRow(r store.Row) Row {
	return Row{
		At: r.At, Body: r.Body, Due: r.Due, ID: r.ID, Kind: r.Kind, Name: r.Name, Parent: r.Parent,
		Project: r.Project, Status: r.Status, Tag: r.Tag, Labels: r.Labels,
	}
}

// Row gives the stored form.
func (r Row) Row() store.Row {
	return store.Row{
		Key: store.Key{Kind: r.Kind, ID: r.ID}, Project: r.Project, Status: r.Status, Name: r.Name, Parent: r.Parent,
		Tag: r.Tag, At: r.At, Due: r.Due, Labels: r.Labels, Body: r.Body,
	}
}

// Page is a part of a list. Next is the cursor of the next part, "" at the end.
type Page struct {
	Next string `json:"next,omitempty"`
	Rows []Row  `json:"rows"`
}

// Entry is an entry.Entry. Payload holds the very bytes that were hashed; where those are not JSON (an erased payload may
// be anything) they stand in Raw.
type Entry struct {
	At      time.Time       `json:"at"`
	Epoch   uint64          `json:"epoch"`
	Erased  bool            `json:"erased,omitempty"`
	Hash    entry.Hash      `json:"hash"`
	Kind    entry.Kind      `json:"kind"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Prev    entry.Hash      `json:"prev"`
	Raw     []byte          `json:"raw,omitempty"`
	Salt    entry.Salt      `json:"salt"`
	Seq     uint64          `json:"seq"`
	Stream  string          `json:"stream"`
	Sum     entry.Hash      `json:"sum"`
	Version int             `json:"version"`
}

// FromEntry gives the wire form.
func FromEntry(e entry.Entry) Entry {
	w := Entry{
		At: e.At, Epoch: e.Epoch, Erased: e.Erased, Hash: e.Hash, Kind: e.Kind, Prev: e.Prev, Salt: e.Salt, Seq: e.Seq,
		Stream: e.Stream, Sum: e.Sum, Version: e.Version,
	}
	if json.Valid(e.Payload) {
		w.Payload = e.Payload
	} else {
		w.Raw = e.Payload
	}
	return w
}

// Entry gives the stored form.
func (w Entry) Entry() entry.Entry {
	e := entry.Entry{
		Stream: w.Stream, Seq: w.Seq, Kind: w.Kind, Version: w.Version, At: w.At, Epoch: w.Epoch, Payload: w.Payload,
		Salt: w.Salt, Sum: w.Sum, Prev: w.Prev, Hash: w.Hash, Erased: w.Erased,
	}
	if w.Raw != nil {
		e.Payload = w.Raw
	}
	return e
}

// Entries is a part of a stream. Next is the number to read on from, 0 at the end of what is there now.
type Entries struct {
	Entries []Entry `json:"entries"`
	Next    uint64  `json:"next,omitempty"`
}

// The names of the events of a live stream (text/event-stream). Entries carry their number as the event's id, so that a
// reader that lost the connection goes on with Last-Event-ID.
const (
	EventEntry   = "entry"
	EventLog     = "log"
	EventIdle    = "idle"
	EventDropped = "dropped"
	EventEnd     = "end" // the stream is complete: the run has ended
)

// Log is an engine.LogChunk.
type Log struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Path    string    `json:"path"`
	Stream  string    `json:"stream"`
	Text    string    `json:"text"`
}

// Dropped tells how many log chunks this reader lost.
type Dropped struct {
	Count int `json:"count"`
}

// BackedUp tells about a finished backup.
type BackedUp struct {
	Blobs    int    `json:"blobs"`
	Bytes    int64  `json:"bytes"`
	Index    uint64 `json:"index"`
	Instance string `json:"instance"`
	Path     string `json:"path"`
}

// Verified tells what a verification of everything found.
type Verified struct {
	Damaged []Problem `json:"damaged"`
	Entries int       `json:"entries"`
	Streams int       `json:"streams"`
}

// Secrets names secrets that a run will surely need.
type Secrets struct {
	Names []string `json:"names"`
}

// MissingSecrets tells which of them cannot be found, and why.
type MissingSecrets struct {
	Missing []Problem `json:"missing"`
}
