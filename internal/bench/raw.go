package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// rawStore is the limit that the engine is measured against: bare transactions of two rows of 512 bytes, by the same
// driver with the same pragmas.
type rawStore struct {
	db                    *sql.DB
	conn                  *sql.Conn
	begin, insert, commit *sql.Stmt
	data                  []byte
	row                   int
}

func openRaw(ctx context.Context, dir string) (*rawStore, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "raw.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)"+
		"&_pragma=wal_autocheckpoint(2000)&_pragma=cache_size(-16384)&_pragma=secure_delete(1)&_pragma=mmap_size(0)")
	if err != nil {
		return nil, err
	}
	r := &rawStore{db: db, data: make([]byte, 512)}
	if r.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	if _, err = r.conn.ExecContext(ctx, "CREATE TABLE entry (stream INTEGER, seq INTEGER, data BLOB, PRIMARY KEY (stream, seq))"); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		to   **sql.Stmt
		text string
	}{{&r.begin, "BEGIN IMMEDIATE"}, {&r.insert, "INSERT INTO entry VALUES (?, ?, ?)"}, {&r.commit, "COMMIT"}} {
		if *s.to, err = r.conn.PrepareContext(ctx, s.text); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rawStore) close() error { return errors.Join(r.conn.Close(), r.db.Close()) }

// pairs commits n pairs of rows in one transaction.
func (r *rawStore) pairs(ctx context.Context, n int) error {
	if _, err := r.begin.ExecContext(ctx); err != nil {
		return err
	}
	for range 2 * n {
		if _, err := r.insert.ExecContext(ctx, r.row%callers, r.row/callers, r.data); err != nil {
			return err
		}
		r.row++
	}
	_, err := r.commit.ExecContext(ctx)
	return err
}

// grouped is the raw rate of commits for many callers: what waits is committed together.
func (r *rawStore) grouped(ctx context.Context, d time.Duration) (float64, error) {
	requests := make(chan chan struct{}, callers)
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		var waiting []chan struct{}
		for first := range requests {
			waiting = append(waiting[:0], first)
			for more := true; more; {
				select {
				case c, ok := <-requests:
					if more = ok; ok {
						waiting = append(waiting, c)
					}
				default:
					more = false
				}
			}
			if err := r.pairs(ctx, len(waiting)); err != nil && failed == nil {
				failed = fmt.Errorf("commit: %w", err)
			}
			for _, c := range waiting {
				c <- struct{}{}
			}
		}
	})
	counts := make([]int, callers)
	start := time.Now()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			c := make(chan struct{}, 1)
			for time.Since(start) < d {
				requests <- c
				<-c
				counts[i]++
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	close(requests)
	done.Wait()
	n := 0
	for _, c := range counts {
		n += c
	}
	return float64(n) / took.Seconds(), failed
}

func (r *rawStore) serial(ctx context.Context, d time.Duration) (float64, error) {
	start, n := time.Now(), 0
	for ; time.Since(start) < d; n++ {
		if err := r.pairs(ctx, 1); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}
