// Package sink is the port of what lines of JSON are shipped to: a file, syslog, a collector of logs.
//
// Guarantees every implementation gives (package sinktest proves them):
//
//   - When Write answers nil, the other side has taken every line, in order, as far as its protocol tells (syslog does not:
//     what a connection that broke had in flight may be lost there).
//   - When it answers an error, any part of the lines may have arrived. The caller gives all of them again: a reader finds
//     some of them twice, with the same stream and number, and none missing.
//   - After an error it can be used again: what is broken is opened anew.
package sink

import (
	"context"
	"time"
)

// Line is a line of JSON, and what protocols say about it beside it.
type Line struct {
	At     time.Time
	Stream string
	Seq    uint64
	Name   string // what kind of fact it tells
	Warn   bool   // it is more than information: something was not allowed
	Text   string // one line of JSON, without its end
}

// Sink takes lines. It is for one caller at a time.
type Sink interface {
	// Write gives lines away, all within one call. Errors are of kind Unavailable (try later) or Invalid (it is set up
	// wrongly).
	Write(ctx context.Context, lines []Line) error
	Close() error
}
