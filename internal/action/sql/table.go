package sql

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tendhq/tend/internal/value"
)

// table is a result.
type table struct {
	columns   []string
	oids      []uint32
	rows      []any
	count     int64
	command   string
	truncated bool

	maxRows int
	bytes   int
}

func newTable(fields []pgconn.FieldDescription, maxRows int) *table {
	t := &table{maxRows: maxRows, rows: []any{}}
	seen := map[string]bool{}
	for _, f := range fields {
		name := f.Name
		for n := 2; seen[name]; n++ {
			name = f.Name + "_" + strconv.Itoa(n)
		}
		seen[name] = true
		t.columns = append(t.columns, name)
		t.oids = append(t.oids, f.DataTypeOID)
	}
	return t
}

// add keeps a row, or notes that there are more than can be kept.
func (t *table) add(values [][]byte) {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if t.truncated || len(t.rows) >= t.maxRows || t.bytes+size > maxBytes {
		t.truncated = true
		return
	}
	t.bytes += size
	row := make(map[string]any, len(values))
	for i, v := range values {
		row[t.columns[i]] = decode(t.oids[i], v)
	}
	t.rows = append(t.rows, row)
}

func (t *table) output() map[string]any {
	columns := make([]any, len(t.columns))
	for i, c := range t.columns {
		columns[i] = c
	}
	out := map[string]any{
		"rows": t.rows, "count": t.count, "columns": columns, "command": t.command, "truncated": t.truncated, "value": nil,
	}
	if len(t.rows) == 1 && len(t.columns) == 1 {
		if row, ok := t.rows[0].(map[string]any); ok {
			out["value"] = row[t.columns[0]]
		}
	}
	return out
}

//nolint:gochecknoglobals // tables; never written
var (
	// scalars are the types whose text is read below, and the common ones whose text is kept.
	scalars = map[uint32]func(string) any{
		pgtype.BoolOID:        func(s string) any { return s == "t" },
		pgtype.Int2OID:        integer,
		pgtype.Int4OID:        integer,
		pgtype.Int8OID:        integer,
		pgtype.OIDOID:         integer,
		pgtype.XIDOID:         integer,
		pgtype.XID8OID:        integer,
		pgtype.Float4OID:      number,
		pgtype.Float8OID:      number,
		pgtype.NumericOID:     number,
		pgtype.JSONOID:        documentOf,
		pgtype.JSONBOID:       documentOf,
		pgtype.ByteaOID:       binary,
		pgtype.TimestamptzOID: instant,
		pgtype.TimestampOID:   local,
		pgtype.TextOID:        text,
		pgtype.VarcharOID:     text,
		pgtype.BPCharOID:      text,
		pgtype.NameOID:        text,
		pgtype.QCharOID:       text,
		pgtype.DateOID:        text,
		pgtype.TimeOID:        text,
		pgtype.TimetzOID:      text,
		pgtype.IntervalOID:    text,
		pgtype.UUIDOID:        text,
		pgtype.InetOID:        text,
		pgtype.CIDROID:        text,
	}
	// arrays maps the types of arrays to those of their elements.
	arrays = map[uint32]uint32{
		pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.Int2ArrayOID: pgtype.Int2OID, pgtype.Int4ArrayOID: pgtype.Int4OID,
		pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.OIDArrayOID: pgtype.OIDOID, pgtype.XIDArrayOID: pgtype.XIDOID,
		pgtype.XID8ArrayOID: pgtype.XID8OID, pgtype.Float4ArrayOID: pgtype.Float4OID, pgtype.Float8ArrayOID: pgtype.Float8OID,
		pgtype.NumericArrayOID: pgtype.NumericOID, pgtype.JSONArrayOID: pgtype.JSONOID, pgtype.JSONBArrayOID: pgtype.JSONBOID,
		pgtype.ByteaArrayOID: pgtype.ByteaOID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID,
		pgtype.TimestampArrayOID: pgtype.TimestampOID, pgtype.TextArrayOID: pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.VarcharOID,
		pgtype.BPCharArrayOID: pgtype.BPCharOID, pgtype.NameArrayOID: pgtype.NameOID, pgtype.QCharArrayOID: pgtype.QCharOID,
		pgtype.DateArrayOID: pgtype.DateOID, pgtype.TimeArrayOID: pgtype.TimeOID, pgtype.IntervalArrayOID: pgtype.IntervalOID,
		pgtype.UUIDArrayOID: pgtype.UUIDOID, pgtype.InetArrayOID: pgtype.InetOID, pgtype.CIDRArrayOID: pgtype.CIDROID,
	}
)

// decode reads a value in PostgreSQL's text form. nil is NULL.
func decode(oid uint32, b []byte) any {
	if b == nil {
		return nil
	}
	// A database in SQL_ASCII gives whatever bytes it was given.
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	if element, ok := arrays[oid]; ok {
		if list, ok := parseArray(s, scalars[element]); ok {
			return list
		}
		return s
	}
	if read, ok := scalars[oid]; ok {
		return read(s)
	}
	return s
}

func text(s string) any { return s }

func integer(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	return s
}

// maxDigits is how many significant digits every float64 keeps.
const maxDigits = 15

// number reads a number. One that a float64 would change, NaN and infinity stay text.
func number(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return s
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	digits := strings.Trim(strings.ReplaceAll(strings.TrimLeft(mantissa, "-+"), ".", ""), "0")
	if len(digits) > maxDigits && strconv.FormatFloat(f, 'g', -1, 64) != s && strconv.FormatFloat(f, 'f', -1, 64) != s {
		return s
	}
	v, err := value.Normalize(f)
	if err != nil {
		return s
	}
	return v
}

func documentOf(s string) any {
	v, err := value.Parse([]byte(s))
	if err != nil { // nested too deep, or a number out of range
		return s
	}
	return v
}

func binary(s string) any {
	b, err := hex.DecodeString(strings.TrimPrefix(s, `\x`))
	if err != nil {
		return s
	}
	return base64.StdEncoding.EncodeToString(b)
}

// instant writes a timestamp with time zone as RFC 3339. The connection's zone is UTC.
func instant(s string) any {
	day, clock, ok := strings.Cut(s, " ")
	clock, utc := strings.CutSuffix(clock, "+00")
	if !ok || !utc {
		return s // infinity, or a year before Christ
	}
	return day + "T" + clock + "Z"
}

func local(s string) any {
	day, clock, ok := strings.Cut(s, " ")
	if !ok || strings.Contains(clock, " ") {
		return s
	}
	return day + "T" + clock
}

// parseArray reads an array in text form: {1,NULL,"with \" quotes",{nested}}, perhaps behind its bounds ([0:2]=).
func parseArray(s string, read func(string) any) ([]any, bool) {
	if strings.HasPrefix(s, "[") {
		_, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, false
		}
		s = rest
	}
	p := arrayParser{s: s, read: read}
	list, ok := p.list(0)
	return list, ok && p.at == len(p.s)
}

type arrayParser struct {
	s    string
	at   int
	read func(string) any
}

func (p *arrayParser) list(depth int) ([]any, bool) {
	if depth > 6 || !p.take('{') {
		return nil, false
	}
	out := []any{}
	if p.take('}') {
		return out, true
	}
	for {
		e, ok := p.element(depth)
		if !ok {
			return nil, false
		}
		out = append(out, e)
		switch {
		case p.take(','):
		case p.take('}'):
			return out, true
		default:
			return nil, false
		}
	}
}

func (p *arrayParser) element(depth int) (any, bool) {
	if p.at >= len(p.s) {
		return nil, false
	}
	switch p.s[p.at] {
	case '{':
		return p.list(depth + 1)
	case '"':
		p.at++
		var b strings.Builder
		for p.at < len(p.s) {
			c := p.s[p.at]
			p.at++
			switch {
			case c == '"':
				return p.read(b.String()), true
			case c == '\\' && p.at < len(p.s):
				b.WriteByte(p.s[p.at])
				p.at++
			default:
				b.WriteByte(c)
			}
		}
		return nil, false
	}
	end := strings.IndexAny(p.s[p.at:], ",}")
	if end < 0 {
		return nil, false
	}
	word := p.s[p.at : p.at+end]
	p.at += end
	if word == "NULL" {
		return nil, true
	}
	return p.read(word), true
}

func (p *arrayParser) take(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}
