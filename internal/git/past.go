package git

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
)

// Past is a file as a commit left it.
type Past struct {
	Commit // without its files

	Text []byte // nil: the commit took the file away
}

// History gives what became of a file in a commit and in those before it: the commits that changed it, newest first, at most
// limit of them. A file of another name is another file. Unlike the rest of a Mirror it may be asked for while something else
// goes on, because it only reads what does not change.
func (m *Mirror) History(ctx context.Context, commit, file string, limit int) ([]Past, error) {
	name := m.FileName(file)
	if !hash(commit) || strings.ContainsAny(name, "\n\x00") {
		return nil, fault.New(fault.Invalid, "there is no history of %.80q in %.80q", name, commit)
	}
	out, err := m.run(ctx, localTime, maxListing, nil, nil, "log", "-z", "--no-notes", "--no-renames", "--no-show-signature", "--max-count="+strconv.Itoa(limit),
		"--format=%H%x01%an <%ae>%x01%aI%x01%s", "--end-of-options", commit, "--", ":(top,literal)"+name)
	if err != nil {
		return nil, err
	}
	var list []Past
	for line := range strings.SplitSeq(string(out), "\x00") {
		parts := strings.SplitN(strings.TrimPrefix(line, "\n"), "\x01", 4)
		if len(parts) != 4 || !hash(parts[0]) {
			continue
		}
		p := Past{Commit: Commit{ID: parts[0], Author: printable(parts[1]), Title: printable(parts[3])}}
		p.At, _ = time.Parse(time.RFC3339, parts[2]) // as describe has it
		list = append(list, p)
	}
	return list, m.texts(ctx, list, name)
}

// texts reads a file in several commits.
func (m *Mirror) texts(ctx context.Context, list []Past, name string) error {
	var items []item
	at := map[int]int{} // commit of an item
	for i := range list {
		out, err := m.run(ctx, localTime, maxListing, nil, nil, "ls-tree", "-z", "--long", "--full-tree", "--end-of-options", list[i].ID, "--", name)
		if err != nil {
			return err
		}
		for _, x := range listing(string(out), "") {
			if x.name == name && x.size <= document.MaxSize {
				x.name = strconv.Itoa(i) // each commit has one of its own
				at[len(items)] = i
				items = append(items, x)
			}
		}
	}
	files, err := m.blobs(ctx, items)
	for i := range files {
		list[at[i]].Text = files[i].Content
	}
	return err
}
