// Package file ships lines to a file: one after the other, on disk when Write answers. The file is opened anew when it was
// moved away, as programs that rotate logs do.
package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/sink"
)

// File is a sink. It makes the file with mode 0600; its directory must be there.
type File struct {
	name string
	f    *os.File
}

// New ships to the file with this name.
func New(name string) *File { return &File{name: name} }

// Write implements sink.Sink.
func (s *File) Write(_ context.Context, lines []sink.Line) error {
	err := s.open()
	if err == nil {
		var b bytes.Buffer
		for i := range lines {
			b.WriteString(lines[i].Text)
			b.WriteByte('\n')
		}
		_, err = s.f.Write(b.Bytes())
	}
	if err == nil {
		err = s.f.Sync()
	}
	if err != nil {
		_ = s.Close() // opened anew, which takes back what was written of a line
		return fault.Wrap(fault.Unavailable, err, "write to %s", s.name)
	}
	return nil
}

// open opens the file, unless it is open and still has its name.
func (s *File) open() error {
	if s.f != nil {
		here, err1 := os.Stat(s.name)
		open, err2 := s.f.Stat()
		if err1 == nil && err2 == nil && os.SameFile(here, open) {
			return nil
		}
		_ = s.Close()
	}
	f, err := os.OpenFile(s.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := mend(f); err != nil {
		return errors.Join(err, f.Close())
	}
	s.f = f
	return nil
}

// mend cuts off a line without an end: this process died, or the disk was full, while it was written. It comes again.
func mend(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	end := info.Size()
	for b := make([]byte, 4096); end > 0; {
		n := min(end, int64(len(b)))
		if _, err := f.ReadAt(b[:n], end-n); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
			end = end - n + int64(i) + 1
			break
		}
		end -= n
	}
	if end == info.Size() {
		return nil
	}
	return f.Truncate(end)
}

// Close implements sink.Sink.
func (s *File) Close() error {
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	s.f = nil
	return err
}
