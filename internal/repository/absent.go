package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
)

// without says that a directory is no playbook, and what is there: playbooks below it, or nothing.
func without(dir string) error {
	e := fault.New(fault.NotFound, "%s is a directory without a playbook.yaml", dir)
	var there []string
	if below, err := Open(dir); err == nil {
		if files, err := below.Files(); err == nil {
			for _, f := range files {
				inside := strings.HasPrefix(below.abs(f.Name), below.abs(dir)+string(filepath.Separator))
				if inside && holdsPlaybook(f.Content) {
					there = append(there, f.Name)
				}
			}
		}
	}
	if len(there) == 0 {
		return e.WithNext("it holds no playbook: `tend init %s` begins a repository there", dir)
	}
	return e.WithNext("name one of its playbooks: %s", some(there))
}

func holdsPlaybook(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if strings.TrimRight(line, " \r\n") == "kind: "+string(document.KindPlaybook) {
			return true
		}
	}
	return false
}

func some(names []string) string {
	const most = 10
	if n := len(names) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n)
	}
	return strings.Join(names, ", ")
}

// Absent says that a file is not there, and what is in its place: a name that is nearly the same, or how far the path leads.
func Absent(name string) error {
	e := fault.New(fault.NotFound, "there is no file %s", name)
	dir, base := filepath.Split(filepath.Clean(name))
	dir = filepath.Clean(dir)
	items, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return e.WithNext("the directory %s is not there either; paths count from the working directory", dir)
	}
	var names []string
	for _, x := range items {
		if !x.IsDir() && filepath.Ext(x.Name()) == filepath.Ext(base) {
			names = append(names, x.Name())
		}
	}
	if near := spelling.Nearest(base, names); near != "" {
		return e.WithNext("did you mean %s?", filepath.Join(dir, near))
	}
	if len(names) > 0 {
		return e.WithNext("in %s there are: %s", dir, some(names))
	}
	return e.WithNext("paths count from the working directory")
}
