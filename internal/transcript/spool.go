package transcript

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// inMemory is how much of a transcript stays in memory before a file is made.
	inMemory = 256 << 10
	// lineCost is what a line counts besides its text: about what its stored form takes.
	lineCost = 64
)

// record is a line in the spool.
type record struct {
	at     int64 // microseconds
	stream uint8
	more   bool
	text   []byte
}

const recordHead = 8 + 1 + 1 + 4

func (r record) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = append(b, r.stream, 0)
	if r.more {
		b[len(b)-1] = 1
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.text)))
	return append(b, r.text...)
}

// next reads the first record of b. Spools are read by the process that wrote them: a wrong one is a bug.
func next(b []byte) (r record, rest []byte) {
	n := recordHead + int(binary.BigEndian.Uint32(b[10:]))
	return record{at: int64(binary.BigEndian.Uint64(b)), stream: b[8], more: b[9] == 1, text: b[recordHead:n]}, b[n:]
}

// block is a piece of the spool: some records, in memory or in a place of the file.
type block struct {
	data []byte // nil when it is in the file
	slot int64
	size int
	cost int64
	cut  Cut // what is missing when the block is dropped
}

// spool keeps the first and the last records within a bound: blocks of the beginning, which stay, and blocks of the end,
// of which the oldest makes room for a new one. Beyond inMemory the blocks are in a file without a name.
type spool struct {
	half  int64 // what the beginning, and the end, may cost
	chunk int64 // what a block may cost before it is complete
	dir   string

	head, tail         []block
	headCost, tailCost int64
	ending             bool // the beginning is full
	current            block
	stored             int64 // bytes in memory, without the current block
	cut                Cut
	file               *os.File
	free               []int64 // places of dropped blocks
	slots              int64
	broken             error // why nothing can be stored any more
}

func (s *spool) init(limit int64, dir string) {
	s.half, s.dir = limit/2, dir
	s.chunk = min(inMemory, max(limit/16, 1))
}

func (s *spool) put(r record) {
	cost := int64(len(r.text)) + lineCost
	if !s.ending && s.headCost+s.current.cost+cost > s.half {
		s.flush()
		s.ending = true
	}
	s.current.data = r.append(s.current.data)
	s.current.cost += cost
	s.current.cut.Bytes += int64(len(r.text))
	if !r.more {
		s.current.cut.Bytes++
		s.current.cut.Lines++
	}
	if s.current.cost >= s.chunk {
		s.flush()
	}
}

// flush completes the current block.
func (s *spool) flush() {
	b := s.current
	if b.cost == 0 {
		return
	}
	memory := b.data[:0]
	s.current = block{}
	b.size = len(b.data)
	if s.ending {
		for len(s.tail) > 0 && s.tailCost+b.cost > s.half {
			s.drop()
		}
	}
	if s.broken == nil && s.file == nil && s.stored+int64(b.size) > inMemory {
		s.spill()
	}
	if s.file != nil && s.broken == nil {
		s.broken = s.save(&b)
		s.current.data = memory
	}
	if s.broken != nil {
		s.cut.Bytes += b.cut.Bytes
		s.cut.Lines += b.cut.Lines
		return
	}
	s.stored += int64(len(b.data))
	if s.ending {
		s.tail = append(s.tail, b)
		s.tailCost += b.cost
		return
	}
	s.head = append(s.head, b)
	s.headCost += b.cost
}

// drop forgets the oldest block of the end.
func (s *spool) drop() {
	b := s.tail[0]
	s.tail[0] = block{}
	s.tail = s.tail[1:]
	s.tailCost -= b.cost
	s.cut.Bytes += b.cut.Bytes
	s.cut.Lines += b.cut.Lines
	if b.data == nil {
		s.free = append(s.free, b.slot)
	}
	s.stored -= int64(len(b.data))
}

// spill moves what is in memory into a file.
func (s *spool) spill() {
	f, err := os.CreateTemp(s.dir, "tend-log-*")
	if err != nil {
		s.broken = cause(err)
		return
	}
	s.file = f
	if err := os.Remove(f.Name()); err != nil { // from here on a crash leaves nothing behind
		s.broken = cause(err)
		return
	}
	for _, blocks := range [][]block{s.head, s.tail} {
		for i := range blocks {
			if s.broken = s.save(&blocks[i]); s.broken != nil {
				return
			}
		}
	}
	s.stored = 0
}

// save writes a block to a free place of the file. Places are of one size, so that they can be used again: a block is
// complete with the record that reaches chunk, and a record takes less than it costs.
func (s *spool) save(b *block) error {
	if n := len(s.free); n > 0 {
		b.slot, s.free = s.free[n-1], s.free[:n-1]
	} else {
		b.slot = s.slots
		s.slots++
	}
	if _, err := s.file.WriteAt(b.data, s.offset(*b)); err != nil {
		return cause(err)
	}
	b.data = nil
	return nil
}

func (s *spool) offset(b block) int64 { return b.slot * (s.chunk + MaxLine + 4 + lineCost) }

// cause drops the path of a temporary file, which says nothing to anybody.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (s *spool) empty() bool {
	return len(s.head) == 0 && len(s.tail) == 0 && s.cut.Lines == 0 && s.cut.Bytes == 0
}

func (s *spool) load(b block) ([]byte, error) {
	if b.data != nil {
		return b.data, nil
	}
	data := make([]byte, b.size)
	if _, err := s.file.ReadAt(data, s.offset(b)); err != nil {
		return nil, fmt.Errorf("read the spooled log: %w", cause(err))
	}
	return data, nil
}

var errDiscarded = errors.New("discarded")

func (s *spool) discard() {
	if s.file != nil {
		_ = s.file.Close() // it was unlinked, and nothing of it is needed any more
	}
	*s = spool{broken: errDiscarded}
}

// encoder gives the stored form of a spool, block by block.
type encoder struct {
	names []string
	spool *spool
	block int // of head and tail together
	said  bool
	buf   bytes.Buffer
}

func (e *encoder) Read(p []byte) (int, error) {
	for e.buf.Len() == 0 {
		if err := e.fill(); err != nil {
			return 0, err
		}
	}
	return e.buf.Read(p)
}

func (e *encoder) fill() error {
	s := e.spool
	var b block
	switch n := e.block - len(s.head); {
	case n < 0:
		b = s.head[e.block]
	case n < len(s.tail):
		b = s.tail[n]
	case e.said || s.cut == (Cut{}):
		return io.EOF
	}
	var data []byte
	if b.cost > 0 {
		var err error
		if data, err = s.load(b); err != nil {
			return err
		}
	}
	if e.block >= len(s.head) && !e.said && s.cut != (Cut{}) {
		e.said = true
		at := time.Now().UTC().Truncate(time.Microsecond)
		if len(data) > 0 {
			first, _ := next(data)
			at = time.UnixMicro(first.at).UTC()
		}
		if err := e.line(cutLine(at, s.cut, s.broken)); err != nil {
			return err
		}
	}
	e.block++
	for len(data) > 0 {
		var r record
		r, data = next(data)
		if err := e.line(Line{At: time.UnixMicro(r.at).UTC(), Stream: e.names[r.stream], Text: string(r.text), More: r.more}); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) line(l Line) error {
	j := json.NewEncoder(&e.buf)
	j.SetEscapeHTML(false)
	return j.Encode(l)
}
