package sqlite

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// An entry is one record: everything but its stream and number, which are columns.
//
//	crc32c of all that follows (4 bytes) · format 1 · flags · length of kind, kind · version · time in microseconds ·
//	epoch · salt (16) · sum (32) · prev (32) · hash (32) · payload
//
// Numbers are varints. The checksum guards what the chain does not: the payload of an erased entry, and the flag.
const (
	format     = 1
	flagErased = 1
	hashes     = 16 + 3*32
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the package itself

// appendRecord encodes e after b.
func appendRecord(b []byte, e *entry.Entry) []byte {
	start := len(b)
	var flags byte
	if e.Erased {
		flags = flagErased
	}
	b = append(b, 0, 0, 0, 0, format, flags)
	b = binary.AppendUvarint(b, uint64(len(e.Kind)))
	b = append(b, e.Kind...)
	b = binary.AppendUvarint(b, uint64(e.Version))
	b = binary.AppendVarint(b, e.At.UnixMicro())
	b = binary.AppendUvarint(b, e.Epoch)
	b = append(b, e.Salt[:]...)
	b = append(b, e.Sum[:]...)
	b = append(b, e.Prev[:]...)
	b = append(b, e.Hash[:]...)
	b = append(b, e.Payload...)
	binary.BigEndian.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli()))
	return b
}

var errRecord = errors.New("its record cannot be read")

// parseRecord decodes a record. The payload is a part of b.
func parseRecord(b []byte, e *entry.Entry) error {
	if len(b) < 6 || binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli()) {
		return errRecord
	}
	if b[4] != format {
		return fault.New(fault.Newer, "it was written by a newer tend (record format %d, this one knows %d)", b[4], format)
	}
	e.Erased = b[5]&flagErased != 0
	r := reader{b: b[6:]}
	e.Kind = entry.Kind(r.take(r.uvarint()))
	e.Version = int(r.uvarint())
	e.At = time.UnixMicro(r.varint()).UTC()
	e.Epoch = r.uvarint()
	h := r.take(hashes)
	if r.bad {
		return errRecord
	}
	copy(e.Salt[:], h)
	copy(e.Sum[:], h[16:])
	copy(e.Prev[:], h[48:])
	copy(e.Hash[:], h[80:])
	e.Payload = r.b
	return nil
}

// reader takes a record apart. After the first thing that is not there, everything is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// labelText is how the labels of a row are stored: a JSON object, or nothing.
func labelText(labels map[string]string) (string, error) {
	if len(labels) == 0 {
		return "", nil
	}
	b, err := json.Marshal(labels)
	return string(b), err
}

// rowSum is the checksum of a row: all of its columns, with their lengths; the labels where there are any, because rows of
// the first schema had none.
func rowSum(r *store.Row, labels string) uint32 {
	var n [8]byte
	sum, t := uint32(0), castagnoli()
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		sum = crc32.Update(sum, t, n[:])
	}
	for _, s := range [...]string{r.Kind, r.ID, r.Project, r.Status, r.Name, r.Parent, r.Tag} {
		number(int64(len(s)))
		sum = crc32.Update(sum, t, []byte(s))
	}
	number(r.At.UnixMicro())
	number(r.Due.UnixMicro())
	if labels != "" {
		number(int64(len(labels)))
		sum = crc32.Update(sum, t, []byte(labels))
	}
	return crc32.Update(sum, t, r.Body)
}
