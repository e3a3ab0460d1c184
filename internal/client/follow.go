package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

// maxEvent bounds one event of a live stream: an entry with an inline output, twice over.
const maxEvent = 16 << 20

// Follow implements engine.Service. The channel closes when the run has ended, when ctx ends, or when the other side is
// gone: whoever needs to know which looks for the entry that ends a run.
func (c *Client) Follow(ctx context.Context, run string, from uint64) (<-chan engine.Update, error) {
	body, err := c.open(ctx, run, from)
	if err != nil {
		return nil, err
	}
	// One update of slack: the reader of the channel and the reader of the socket take turns.
	updates := make(chan engine.Update, 1)
	f := &follower{client: c, run: run, next: from, updates: updates}
	go f.follow(ctx, body)
	return updates, nil
}

func (c *Client) open(ctx context.Context, run string, from uint64) (io.ReadCloser, error) {
	return c.api.FollowRun(ctx, run, FollowRunQuery{From: int64(max(from, 1))}) //nolint:gosec // numbers of entries are small
}

// follower reads one run's stream and takes it up again when the connection breaks while the owner lives.
type follower struct {
	client  *Client
	run     string
	next    uint64 // the entry to read on from
	ended   bool
	updates chan<- engine.Update
}

func (f *follower) follow(ctx context.Context, body io.ReadCloser) {
	defer close(f.updates)
	for tries := 0; ; tries++ {
		before := f.next
		f.read(ctx, body)
		_ = body.Close()
		if f.ended || ctx.Err() != nil {
			return
		}
		if f.next > before {
			tries = 0
		}
		if tries >= 3 {
			return
		}
		timer := time.NewTimer(time.Duration(1+tries) * 50 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		var err error
		if body, err = f.client.open(ctx, f.run, f.next); err != nil {
			return
		}
	}
}

// read forwards events until the stream breaks.
func (f *follower) read(ctx context.Context, body io.Reader) {
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 64<<10), maxEvent)
	var name string
	var data []byte
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case len(line) == 0:
			if name != "" && !f.event(ctx, name, data) {
				return
			}
			name, data = "", nil
		case bytes.HasPrefix(line, []byte("event: ")):
			name = string(line[len("event: "):])
		case bytes.HasPrefix(line, []byte("data: ")):
			data = append(data, line[len("data: "):]...)
		}
	}
}

// event forwards one event; false means that the stream is over.
func (f *follower) event(ctx context.Context, name string, data []byte) bool {
	u, err := f.decode(name, data)
	if err != nil {
		return false
	}
	if f.ended {
		return false
	}
	if u == (engine.Update{}) {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case f.updates <- u:
		if u.Entry != nil {
			f.next = u.Entry.Seq + 1
		}
		return true
	}
}

func (f *follower) decode(name string, data []byte) (u engine.Update, err error) {
	switch name {
	case wire.EventEntry:
		var w wire.Entry
		if err = json.Unmarshal(data, &w); err == nil {
			e := w.Entry()
			u.Entry = &e
		}
	case wire.EventLog:
		var w wire.Log
		if err = json.Unmarshal(data, &w); err == nil {
			u.Log = &engine.LogChunk{Path: w.Path, Attempt: w.Attempt, Stream: w.Stream, Text: w.Text, At: w.At}
		}
	case wire.EventIdle:
		u.Idle = new(engine.Idle)
		err = json.Unmarshal(data, u.Idle)
	case wire.EventDropped:
		var w wire.Dropped
		err = json.Unmarshal(data, &w)
		u.Dropped = w.Count
	case wire.EventEnd:
		f.ended = true
	}
	return u, fault.Wrap(fault.Parse, err, "read a live event %q", name)
}
