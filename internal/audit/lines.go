package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
)

// maxLine bounds a line of an export, in bytes.
const maxLine = 4 << 20

// errEnd is given by what reads records when there are no more.
var errEnd = io.EOF

// Write writes a record as a line of JSON. The payload is written as the bytes that were hashed.
func Write(w io.Writer, r Record) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// early is the last line of an export that is not whole.
type early struct {
	Kind    fault.Kind `json:"kind"`
	Problem string     `json:"problem"`
}

// WriteProblem writes the last line of an export that is not whole: what is damaged, or why it ended.
func WriteProblem(w io.Writer, err error) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(early{fault.KindOf(err), err.Error()})
}

// Problem reads a line that WriteProblem wrote; nil: it is another line.
func Problem(line []byte) error {
	if !bytes.HasPrefix(line, []byte(`{"kind":`)) {
		return nil
	}
	var e early
	if json.Unmarshal(line, &e) == nil && e.Problem != "" {
		return fault.New(e.Kind, "the export is not whole: %s", e.Problem)
	}
	return nil
}

// Lines reads records that Write wrote, one for each call, and io.EOF at the end. What is no record is fault.Damaged, with
// the number of its line.
func Lines(in io.Reader) func() (Record, error) {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	return func() (Record, error) {
		for s.Scan() {
			n++
			if len(s.Bytes()) == 0 {
				continue
			}
			if err := Problem(s.Bytes()); err != nil {
				return Record{}, err
			}
			var r Record
			if err := json.Unmarshal(s.Bytes(), &r); err != nil {
				return r, fault.Wrap(fault.Damaged, err, "line %d is no record of an audit trail", n)
			}
			if !Valid(r.Stream) || r.Seq == 0 {
				return r, fault.New(fault.Damaged, "line %d is no record of an audit trail: it names %.80q entry %d", n, r.Stream, r.Seq)
			}
			return r, nil
		}
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			return Record{}, fault.New(fault.Damaged, "line %d is longer than %d bytes", n+1, maxLine)
		case err != nil:
			return Record{}, fault.Wrap(fault.Unavailable, err, "read line %d", n+1)
		}
		return Record{}, errEnd
	}
}

// Check verifies records without anything else: what an outsider does. A stream may begin anywhere (a file that was
// rotated), and a record may come twice (a shipper that was stopped), when it is the same.
type Check struct {
	Records int
	Twice   int // of them came again
	Late    int // streams that do not begin with their first entry
	streams map[string]*chain
}

type chain struct {
	last  entry.Entry
	known map[uint64]entry.Hash // the latest ones
}

// repeats bounds how far back a record can come again.
const repeats = 4096

// Add takes the next record. The error is of kind fault.Damaged and names the entry.
func (c *Check) Add(r *Record) error {
	if c.streams == nil {
		c.streams = map[string]*chain{}
	}
	c.Records++
	e := r.Entry()
	s := c.streams[r.Stream]
	if s == nil {
		s = &chain{known: map[uint64]entry.Hash{}}
		c.streams[r.Stream] = s
		if e.Seq > 1 {
			c.Late++
			s.last = entry.Entry{Seq: e.Seq - 1, Hash: e.Prev}
		}
	}
	prev := &s.last
	again := false
	if h, ok := s.known[e.Seq]; ok && e.Seq <= s.last.Seq {
		if h != e.Hash {
			return fault.New(fault.Damaged, "%s entry %d comes twice, and differently", e.Stream, e.Seq)
		}
		again = true
		prev = &entry.Entry{Seq: e.Seq - 1, Hash: e.Prev}
	}
	if prev.Seq == 0 {
		prev = nil
	}
	if err := e.Verify(prev); err != nil {
		return err
	}
	if !r.same() {
		return fault.New(fault.Damaged, "%s entry %d: its plain fields do not say what its payload says", e.Stream, e.Seq)
	}
	if again {
		c.Twice++
		return nil
	}
	e.Payload = nil
	s.last = e
	s.known[e.Seq] = e.Hash
	delete(s.known, e.Seq-min(e.Seq, repeats))
	return nil
}

// Streams tells how many streams there were.
func (c *Check) Streams() int { return len(c.streams) }
