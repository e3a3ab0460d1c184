// Package transcript records what a step prints: as lines of clean text, without known secrets, within a bound.
//
// Whatever a program writes becomes valid UTF-8: each byte that is not becomes U+FFFD, also when a character was cut in
// two by a write; NUL and other control characters become their visible pictures (␀, ␛), so that a log cannot act on the
// terminal that shows it; a lone carriage return ends a line, as a progress bar means it. Where the writes were cut
// changes nothing. Secrets are masked before lines are made, so that no cut can hide one.
//
// Of a long output the beginning and the end are kept, and a line between them says how much is missing. Memory and
// disk are bounded by Config.Cap, whatever the program prints.
//
// The stored form is JSON lines, one object for each Line, oldest first:
//
//	{"at":"2026-11-20T16:36:50.123456Z","stream":"stdout","text":"hello"}
//	{"at":"…","stream":"stdout","text":"the first 16 KiB of a very long line","more":true}
//	{"at":"…","stream":"tend","text":"[… 1234 bytes in 56 lines are left out here …]","cut":{"bytes":1234,"lines":56}}
package transcript

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// The names of the streams.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	Tend   = "tend" // what tend itself says about the step
)

// MaxLine is the longest text of a Line in bytes. Longer lines come in pieces.
const MaxLine = 16 << 10

// Line is one line of a transcript.
type Line struct {
	At     time.Time `json:"at"`
	Stream string    `json:"stream"`
	Text   string    `json:"text"`           // without its line end
	More   bool      `json:"more,omitempty"` // the next Line of the same stream continues this one
	Cut    *Cut      `json:"cut,omitempty"`  // lines are missing here
}

// Cut says how much is missing.
type Cut struct {
	Bytes int64 `json:"bytes"`
	Lines int64 `json:"lines"`
}

// String gives the line as it is shown to people, with its line end unless it goes on.
func (l Line) String() string {
	if l.More {
		return l.Text
	}
	return l.Text + "\n"
}

// Read gives the lines of a stored transcript. After an error, which is of kind fault.Damaged when the text is not what
// was stored, nothing follows.
func Read(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		b := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			raw, err := b.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(raw) == 0 {
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Line{}, err)
				return
			}
			var l Line
			if err := json.Unmarshal(raw, &l); err != nil {
				yield(Line{}, fault.Wrap(fault.Damaged, err, "read line %d of the log", n))
				return
			}
			if !yield(l, nil) {
				return
			}
		}
	}
}

func cutLine(at time.Time, c Cut, why error) Line {
	text := fmt.Sprintf("[… %d bytes in %d lines are left out here …]", c.Bytes, c.Lines)
	if why != nil {
		text = fmt.Sprintf("[… %d bytes in %d lines are missing here: %v …]", c.Bytes, c.Lines, why)
	}
	return Line{At: at, Stream: Tend, Text: text, Cut: &c}
}
