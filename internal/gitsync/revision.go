package gitsync

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/blob"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/repository"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// Status of a revision.
type Status string

// The statuses of a revision.
const (
	Live    Status = "live"
	Good    Status = "good"    // it was live, or would be if another one were not pinned
	Refused Status = "refused" // it has errors
)

// Revision is one state of a repository, as it was checked.
type Revision struct {
	ID          string             `json:"id"` // the commit; of a directory a sum of its content
	Repository  string             `json:"repository"`
	Project     string             `json:"project"`
	Environment string             `json:"environment,omitempty"`
	Status      Status             `json:"status"`
	Commit      bool               `json:"commit,omitempty"`
	Author      string             `json:"author,omitempty"`
	Title       string             `json:"title,omitempty"`
	Committed   time.Time          `json:"committed,omitzero"`
	Seen        time.Time          `json:"seen"`
	LiveSince   time.Time          `json:"liveSince,omitzero"`
	Rewritten   string             `json:"rewritten,omitempty"` // the commit before it, which is no ancestor of it
	Errors      int                `json:"errors,omitempty"`
	Warnings    int                `json:"warnings,omitempty"`
	Findings    []document.Finding `json:"findings,omitempty"` // the first ones, errors first
	Playbooks   int                `json:"playbooks"`
	Triggers    int                `json:"triggers"`
	Guards      int                `json:"guards"`
	Changed     []string           `json:"changed,omitempty"` // playbooks that do something else than in the revision before
	Content     *blob.Ref          `json:"content,omitempty"`
}

// Short is the id as people write it.
func (r *Revision) Short() string { return short(r.ID) }

func short(id string) string { return id[:min(len(id), 12)] }

// Pin keeps one revision live, whatever comes.
type Pin struct {
	Revision string    `json:"revision"`
	By       entry.Who `json:"by"`
	Why      string    `json:"why,omitempty"`
	At       time.Time `json:"at"`
}

// record is what is remembered of a repository beside its revisions.
type record struct {
	Live   string `json:"live,omitempty"`
	Head   string `json:"head,omitempty"`   // the one that was checked last
	Newest string `json:"newest,omitempty"` // the newest good one
	Pin    *Pin   `json:"pin,omitempty"`
}

// checked takes a revision that was just checked, and tells whether it becomes live.
func (r record) checked(id string, good bool) (next record, live bool) {
	r.Head = id
	if !good {
		return r, false
	}
	r.Newest = id
	if r.Pin != nil && r.Pin.Revision != id {
		return r, false
	}
	if r.Live == id {
		return r, false
	}
	r.Live = id
	return r, true
}

// pinned takes a decision to keep a revision; nil ends it, and what is newest becomes live.
func (r record) pinned(p *Pin) (next record, live string) {
	r.Pin = p
	want := r.Newest
	if p != nil {
		want = p.Revision
	}
	if want == "" || want == r.Live {
		return r, ""
	}
	r.Live = want
	return r, want
}

// The kinds of rows.
const (
	kindRevision   = "revision"
	kindRepository = "repository"
)

// keep is how many good and how many refused revisions of a repository are remembered.
const keep = 20

// maxFindings is how many findings of a revision are remembered.
const maxFindings = 100

func rowID(repository, revision string) string { return repository + "@" + revision }

func (r *Revision) row() store.Row {
	body, _ := value.Canonical(r) // it is plain data
	return store.Row{
		Key: store.Key{Kind: kindRevision, ID: rowID(r.Repository, r.ID)}, Project: r.Project, Status: string(r.Status), Name: r.Title, Parent: r.Repository,
		Tag: r.Environment, At: r.Seen, Body: body,
	}
}

func (r *record) row(src *Source, at time.Time) store.Row {
	body, _ := value.Canonical(r)
	return store.Row{Key: store.Key{Kind: kindRepository, ID: src.Name}, Project: src.Binding.Project, Status: "known", Name: src.Name, At: at, Body: body}
}

func readRevision(row *store.Row) (*Revision, error) {
	r := &Revision{}
	if err := json.Unmarshal(row.Body, r); err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read the revision %s", row.ID)
	}
	return r, nil
}

// found takes the errors and warnings of a check: errors first, and not more than are remembered.
func (r *Revision) found(fs []document.Finding) {
	rank := map[document.Severity]int{document.Error: 0, document.Warning: 1}
	fs = slices.DeleteFunc(slices.Clone(fs), func(f document.Finding) bool { return f.Severity == document.Advice })
	slices.SortStableFunc(fs, func(a, b document.Finding) int { return rank[a.Severity] - rank[b.Severity] })
	for _, f := range fs {
		if f.Severity == document.Error {
			r.Errors++
		} else {
			r.Warnings++
		}
	}
	r.Findings = fs[:min(len(fs), maxFindings)]
	for i := range r.Findings {
		if f := &r.Findings[i]; len(f.SourceLine) > 400 {
			f.SourceLine = strings.ToValidUTF8(f.SourceLine[:400], "")
		}
	}
}

// group is the group of blobs that a revision's content is in.
func (r *Revision) group() string {
	sum := sha256.Sum256([]byte(rowID(r.Repository, r.ID)))
	return "revision_" + hex.EncodeToString(sum[:16])
}

// pack writes files as one text, and unpack reads them back. Times and owners are left out, so that the same files give the
// same bytes.
func pack(files []document.File) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o600, Size: int64(len(f.Content)), Format: tar.FormatPAX}); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "keep %s", f.Name)
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "keep %s", f.Name)
		}
	}
	err := errors.Join(w.Close(), z.Close())
	return b.Bytes(), fault.Wrap(fault.Internal, err, "keep the files of a revision")
}

func unpack(r io.Reader) ([]document.File, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fault.Wrap(fault.Damaged, err, "read a revision that was kept")
	}
	t := tar.NewReader(z)
	var files []document.File
	total := 0
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "read a revision that was kept")
		}
		b, err := io.ReadAll(io.LimitReader(t, document.MaxSize+1))
		if err != nil {
			return nil, fault.Wrap(fault.Damaged, err, "read %s of a revision that was kept", h.Name)
		}
		files = append(files, document.File{Name: h.Name, Content: b})
		total += len(b)
		if err := repository.Bound(len(files), total); err != nil {
			return nil, err
		}
	}
	_, err = io.Copy(io.Discard, io.LimitReader(r, 1<<20)) // to its end, where a blob is verified
	return files, fault.Wrap(fault.Damaged, err, "read a revision that was kept")
}
