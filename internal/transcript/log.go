package transcript

import (
	"cmp"
	"io"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/mask"
)

// DefaultCap is how many bytes of a transcript are kept.
const DefaultCap = 10 << 20

// maxStreams bounds the names of streams that a transcript tells apart; what comes under further names is stdout.
const maxStreams = 32

// Config of a Log. The zero value is valid.
type Config struct {
	Mask  *mask.Masker // secrets that must not be seen
	Cap   int64        // default DefaultCap; half of it is for the beginning, half for the end
	Dir   string       // for the spool file of a long transcript, which has no name there; "" is the system's
	Print func(Line)   // receives each line when it is complete, in order; must not block
}

// Log is a transcript that is being written. It is safe for concurrent use.
type Log struct {
	print func(Line)

	mu      sync.Mutex
	mask    *mask.Masker
	streams []*assembler
	names   []string
	spool   spool
	closed  bool
}

// New begins a transcript. It costs nothing until something is printed.
func New(c Config) *Log {
	l := &Log{print: c.Print, mask: c.Mask}
	l.spool.init(cmp.Or(c.Cap, DefaultCap), c.Dir)
	return l
}

// Write records what came on a stream. It never fails and never waits for more than the disk; p may be reused.
// After Close it does nothing.
func (l *Log) Write(stream string, p []byte) {
	if len(p) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.stream(stream).write(p)
	}
}

// Say records a line about the step.
func (l *Log) Say(text string) { l.Write(Tend, []byte(text+"\n")) }

// Close completes the transcript: what was held back is recorded, what comes later is not.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for _, a := range l.streams {
		a.close()
	}
	l.spool.flush()
}

// Empty tells whether nothing was printed. It is asked after Close.
func (l *Log) Empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spool.empty()
}

// Reader gives the stored form. It is asked after Close and used by one reader at a time.
func (l *Log) Reader() io.Reader { return &encoder{names: l.names, spool: &l.spool} }

// Discard lets go of memory and disk. It is called after Close, and nothing is called after it.
func (l *Log) Discard() { l.spool.discard() }

func (l *Log) stream(name string) *assembler {
	for i, n := range l.names {
		if n == name {
			return l.streams[i]
		}
	}
	if len(l.names) >= maxStreams {
		return l.streams[0]
	}
	a := &assembler{stream: uint8(len(l.names)), mask: l.mask.Stream(), emit: l.line}
	l.names = append(l.names, name)
	l.streams = append(l.streams, a)
	return a
}

// line records a complete line. l.mu is held.
func (l *Log) line(a *assembler, text []byte, more bool) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	l.spool.put(record{at: now.UnixMicro(), stream: a.stream, more: more, text: text})
	if l.print != nil {
		l.print(Line{At: now, Stream: l.names[a.stream], Text: string(text), More: more})
	}
}
