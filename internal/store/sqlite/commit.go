package sqlite

import (
	"context"
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/store"
)

// Commit implements store.Store: one transaction for all batches, as long as nothing surprising happens. Batches that
// erase get a transaction each, because they read what they change and may find it damaged.
func (s *Store) Commit(ctx context.Context, batches []store.Batch) []store.Answer {
	answers := make([]store.Answer, len(batches))
	fail := func(err error) []store.Answer {
		for i := range answers {
			answers[i] = store.Answer{Err: err}
		}
		return answers
	}
	if err := s.use(ctx); err != nil {
		return fail(err)
	}
	for i := range batches {
		answers[i].Err = batches[i].Check()
	}
	w := s.write
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := s.use(ctx); err != nil {
		return fail(err)
	}
	for i := 0; i < len(batches); {
		j := i + 1
		if len(batches[i].Erase) == 0 {
			for j < len(batches) && len(batches[j].Erase) == 0 {
				j++
			}
		}
		w.group(batches[i:j], answers[i:j])
		i = j
	}
	w.fold(batches)
	w.mark(time.Now())
	return answers
}

// group writes batches as one transaction. An answer that is an error already stays as it is.
func (w *writer) group(batches []store.Batch, answers []store.Answer) {
	open := 0 // batches that are not answered yet
	for i := range answers {
		if answers[i].Err == nil {
			open++
		}
	}
	for open > 0 {
		if why := w.store.broken.Load(); why != nil {
			answer(answers, errors.Join(store.ErrBroken, *why))
			return
		}
		if err := w.begin(); err != nil {
			answer(answers, err)
			return
		}
		refused := make([]error, len(batches))
		written, err := w.writeAll(batches, answers, refused)
		switch {
		case err == nil && written == 0:
			err = w.leave()
		case err == nil:
			err = w.finish(written)
		default:
			err = errors.Join(err, w.undo())
		}
		switch {
		case err == nil:
			next := w.index - uint64(written)
			for i := range answers {
				switch {
				case answers[i].Err != nil:
				case refused[i] != nil:
					answers[i].Err = refused[i]
				default:
					next++
					answers[i].Index = next
				}
			}
			return
		case errors.Is(err, store.ErrIndeterminate):
			for i := range answers {
				if answers[i].Err == nil && refused[i] != nil {
					answers[i].Err = refused[i]
				}
			}
			answer(answers, err)
			return
		case errors.Is(err, errMoved), code(err) == sqlite3.SQLITE_CONSTRAINT && !w.fresh:
			continue // what was remembered is old: another process wrote in between
		case open == 1 || hopeless(err):
			answer(answers, refusal(err, w.store.path))
			return
		}
		// One of them is the reason. Each alone: the others go through.
		for i := range batches {
			w.group(batches[i:i+1], answers[i:i+1])
		}
		return
	}
}

// answer gives err to every batch that has no answer yet.
func answer(answers []store.Answer, err error) {
	for i := range answers {
		if answers[i].Err == nil && answers[i].Index == 0 {
			answers[i].Err = err
		}
	}
}

// hopeless tells whether the error is about the disk or the database as a whole, so that no batch would fare better alone.
func hopeless(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// refusal turns the error of one batch into its answer. A key that is there although the expectation held is somebody
// else's write.
func refusal(err error, path string) error {
	if errors.Is(err, store.ErrConflict) {
		return store.ErrConflict
	}
	if code(err) == sqlite3.SQLITE_CONSTRAINT {
		return errors.Join(store.ErrConflict, err)
	}
	return classify(err, "write to %s", path)
}

// writeAll writes what is admitted and notes why the others are not. An error leaves the transaction useless.
func (w *writer) writeAll(batches []store.Batch, answers []store.Answer, refused []error) (written int, err error) {
	ctx := context.Background()
	for i := range batches {
		if answers[i].Err != nil {
			continue
		}
		b := &batches[i]
		if refused[i], err = w.admit(ctx, b); err != nil {
			return 0, err
		}
		if refused[i] != nil {
			continue
		}
		if err := w.writeBatch(ctx, b); err != nil {
			return 0, err
		}
		written++
	}
	return written, nil
}

// admit checks a batch against what is stored: refused says why it cannot be written, err that it could not be found out.
func (w *writer) admit(ctx context.Context, b *store.Batch) (refused, err error) {
	for _, n := range b.Shards {
		if w.epochs[n] != b.Epoch {
			return store.ErrStale, nil
		}
	}
	for i := range b.Expect {
		x := &b.Expect[i]
		if x.Length == 0 && !w.remembers(x.Stream) && begins(b, x.Stream) {
			continue
		}
		h, err := w.head(ctx, x.Stream)
		if err != nil {
			return nil, err
		}
		if h.length != x.Length {
			return store.ErrConflict, nil
		}
	}
	var born []string
	for i := range b.Entries {
		e := &b.Entries[i]
		length, _ := b.Length(e.Stream)
		if e.Seq != length+1 {
			continue // follows an entry of the batch: checked there
		}
		var h head
		if length == 0 && !w.remembers(e.Stream) {
			born = append(born, e.Stream)
		} else if h, err = w.head(ctx, e.Stream); err != nil {
			return nil, err
		}
		if err := store.Follows(e, h.hash); err != nil {
			return err, nil
		}
	}
	for i, stream := range born {
		switch err := w.bear(ctx, stream); {
		case i == 0 && errors.Is(err, store.ErrConflict):
			return store.ErrConflict, nil // nothing of the batch is in the transaction yet
		case err != nil:
			return nil, err
		}
	}
	return nil, nil
}

// begins tells whether b appends to a stream.
func begins(b *store.Batch, stream string) bool {
	for i := range b.Entries {
		if b.Entries[i].Stream == stream {
			return true
		}
	}
	return false
}

// bear makes a stream that must not have entries yet, and finds out by that whether it has: the index of names is gone
// through once. The error is store.ErrConflict when it has.
func (w *writer) bear(ctx context.Context, stream string) error {
	res, err := w.st.newStream.ExecContext(ctx, stream)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		h, err := w.head(ctx, stream)
		if err == nil && h.length > 0 {
			err = store.ErrConflict
		}
		return err
	}
	number, err := res.LastInsertId()
	w.pending[stream] = head{number: number}
	return err
}

func (w *writer) writeBatch(ctx context.Context, b *store.Batch) error {
	var h head
	var stream string
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Stream != stream {
			if stream != "" {
				w.pending[stream] = h
			}
			var err error
			if h, err = w.numbered(ctx, e.Stream); err != nil {
				return err
			}
			stream = e.Stream
		}
		w.buf = appendRecord(w.buf[:0], e)
		if _, err := w.st.insert.ExecContext(ctx, h.number, int64(e.Seq), w.buf); err != nil {
			return err
		}
		h.length, h.hash = e.Seq, e.Hash
	}
	if stream != "" {
		w.pending[stream] = h
	}
	for i := range b.Delete {
		if _, err := w.st.remove.ExecContext(ctx, b.Delete[i].Kind, b.Delete[i].ID); err != nil {
			return err
		}
	}
	for i := range b.Rows {
		if err := w.writeRow(ctx, &b.Rows[i]); err != nil {
			return err
		}
	}
	for i := range b.Erase {
		if err := w.erase(ctx, &b.Erase[i]); err != nil {
			return err
		}
	}
	if b.Halt != nil {
		if _, err := w.st.halt.ExecContext(ctx, *b.Halt); err != nil {
			return err
		}
	}
	return nil
}

// numbered gives the end of a stream that certainly has a number afterwards.
func (w *writer) numbered(ctx context.Context, stream string) (head, error) {
	h, err := w.head(ctx, stream)
	if err != nil || h.number != 0 {
		return h, err
	}
	if err := w.bear(ctx, stream); err != nil {
		return head{}, err
	}
	return w.head(ctx, stream)
}

func (w *writer) writeRow(ctx context.Context, row *store.Row) error {
	r := row.Tidy()
	var due any
	if !r.Due.IsZero() {
		due = r.Due.UnixMicro()
	}
	if r.Body == nil {
		r.Body = []byte{}
	}
	labels, err := labelText(r.Labels)
	if err != nil {
		return err
	}
	args := []any{
		r.Kind, r.ID, r.Project, r.Status, r.Name, r.Parent, r.Tag, r.At.UnixMicro(), due, labels, r.Body, int64(rowSum(&r, labels)),
	}
	res, err := w.st.change.ExecContext(ctx, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 1 || err != nil {
		return err
	}
	_, err = w.st.upsert.ExecContext(ctx, args...)
	return err
}

// erase replaces a payload. The record is read as it is, so that a damaged one cannot be erased into a good one.
func (w *writer) erase(ctx context.Context, x *store.Erasure) error {
	h, err := w.head(ctx, x.Stream)
	if err != nil {
		return err
	}
	if x.Seq > h.length {
		return store.NoEntry(x.Stream, x.Seq)
	}
	var data []byte
	if err := w.st.one.QueryRowContext(ctx, h.number, int64(x.Seq)).Scan(&data); err != nil {
		return damagedEntry(x.Stream, x.Seq, err)
	}
	e := entry.Entry{Stream: x.Stream, Seq: x.Seq}
	if err := parseRecord(data, &e); err != nil {
		return damagedEntry(x.Stream, x.Seq, err)
	}
	e.Erase(x.Payload)
	w.buf = appendRecord(w.buf[:0], &e)
	_, err = w.st.update.ExecContext(ctx, w.buf, h.number, int64(x.Seq))
	return err
}

func damagedEntry(stream string, seq uint64, err error) error {
	if fault.Is(err, fault.Newer) {
		return err
	}
	return fault.Wrap(fault.Damaged, err, "%s entry %d", stream, seq)
}
