package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/redact"
)

// errMoved refuses erasures that were made for a run as it was.
var errMoved = fault.New(fault.Conflict, "the run moved on while the text was looked for").WithNext("try again, or pause the run before")

// redact erases a text from a run and its family: from their streams, those of their tasks, their rows and their blobs. The
// chains hold, since they cover salted hashes of the payloads; the audit stream says who erased what and why. A text without
// which a run could not be read is refused before anything is erased.
func (e *Engine) redact(ctx context.Context, c Command) (Done, error) {
	done := Done{Run: c.Run}
	text, err := redact.New(e.cfg.Store, e.cfg.Blobs, c.Text)
	if err != nil {
		return Done{}, err
	}
	c.Text = ""
	family, err := redact.Family(ctx, e.cfg.Store, c.Run)
	if err != nil {
		return Done{}, err
	}
	var found, notes []string
	pinned := ""
	for _, id := range family {
		x, err := e.erasures(ctx, text, id, false)
		if fault.Is(err, fault.Damaged) && id != c.Run {
			notes = append(notes, "run "+id+" cannot be read, and was not looked through")
			continue
		}
		if err != nil {
			return Done{}, err
		}
		if len(x.Erase) > 0 {
			found = append(found, id)
		}
		if prog, err := e.Program(ctx, id); err != nil {
			return Done{}, err
		} else if body, _, err := prog.Closure(); err == nil && text.In(body) {
			pinned = prog.Metadata.Name
		}
	}
	for _, id := range found {
		n, err := e.erase(ctx, text, c, id)
		done.Count += n
		if err != nil {
			return done, err
		}
	}
	e.values.clear()
	if len(found) == 0 {
		notes = append(notes, "the text was not found")
	}
	if pinned != "" {
		notes = append(notes, "it stands in the playbook "+pinned+", which is kept as it was compiled")
	}
	done.Note = strings.Join(notes, "; ")
	return done, nil
}

// erase erases the text from one run. A run that moved on meanwhile is read again.
func (e *Engine) erase(ctx context.Context, text *redact.Text, c Command, id string) (int, error) {
	for try := 1; ; try++ {
		x, err := e.erasures(ctx, text, id, true)
		if err != nil {
			return 0, err
		}
		x.Command = c
		x.Command.Run = id
		x.Audit = &entry.Audited{By: c.By, What: "redacted", Object: id, Why: c.Why, Detail: map[string]any{"places": int64(x.places)}}
		if _, err = e.command(ctx, x); err == nil {
			return x.places, nil
		}
		if !errors.Is(err, errMoved) || try == 20 {
			return 0, err
		}
	}
}

// erasures finds what of a run is to be erased, and how the run reads after that.
func (e *Engine) erasures(ctx context.Context, text *redact.Text, id string, rewrite bool) (Commanded, error) {
	root, err := e.root(ctx, id)
	if err != nil {
		return Commanded{}, err
	}
	f, err := text.Run(ctx, root, id, rewrite)
	x := Commanded{Erase: f.Erase, Rows: f.Rows, places: f.Count}
	if err != nil || len(x.Erase) == 0 {
		return x, err
	}
	l := Read(ctx, archive.New(redact.Overlay{Store: e.cfg.Store, Erase: x.Erase}), id)
	if l.Err != nil {
		return x, fault.New(fault.Conflict, "run %s could not be read any more without this text: it is more than a value there", id).
			WithNext("give the whole value that slipped in")
	}
	x.Redacted = &l
	return x, nil
}
