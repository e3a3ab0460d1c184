package demo

import (
	"context"
	"crypto/sha256"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/fault"
)

// The directory of the demonstration: a capacity that is declared, not enforced, and measured as the playbook does.
const (
	logFiles    = 10
	logFileSize = 3 << 20
	logLimit    = 16 // MiB
)

// fill lets a logger fill a directory: rotated files of earlier days, the current one, and one rotated file that a
// process still holds open. What it returns closes the open files.
func fill(scratch string) (dir string, open []string, done func(), err error) {
	dir = filepath.Join(scratch, "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, nil, err
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // filler
	block := make([]byte, logFileSize)
	for i := 1; i <= logFiles; i++ {
		for j := range block {
			block[j] = byte('a' + random.IntN(26))
		}
		name := filepath.Join(dir, "app.log."+strconv.Itoa(i))
		if err := os.WriteFile(name, block, 0o600); err != nil {
			return "", nil, nil, err
		}
		day := time.Now().AddDate(0, 0, -i)
		if err := os.Chtimes(name, day, day); err != nil {
			return "", nil, nil, err
		}
	}
	current, held := filepath.Join(dir, "app.log"), filepath.Join(dir, "app.log.6")
	var files []*os.File
	for _, name := range []string{current, held} {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return "", nil, nil, err
		}
		files = append(files, f)
	}
	if _, err := files[0].WriteString("the logger writes here\n"); err != nil {
		return "", nil, nil, err
	}
	return dir, []string{current, held}, func() {
		for _, f := range files {
			_ = f.Close()
		}
	}, nil
}

// sums reads every file below dir.
func sums(dir string) (map[string][32]byte, error) {
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		out[p] = [32]byte(h.Sum(nil))
		return nil
	})
	return out, err
}

// du measures a directory in MiB, as the playbook does.
func du(ctx context.Context, dir string) (int, error) {
	b, err := exec.CommandContext(ctx, "du", "-sk", dir).Output()
	if err != nil {
		return 0, fault.Wrap(fault.Missing, err, "measure %s with du", dir)
	}
	kib, err := strconv.Atoi(strings.Fields(string(b) + " 0")[0])
	return (kib + 1023) / 1024, err
}

func measure(ctx context.Context, dir string) (int, map[string][32]byte, error) {
	size, err := du(ctx, dir)
	if err != nil {
		return 0, nil, err
	}
	files, err := sums(dir)
	return size, files, err
}

func same(before, after map[string][32]byte, names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool {
		b, had := before[n]
		a, has := after[n]
		return !had || !has || a != b
	})
}

func baseNames(paths []string) string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = filepath.Base(p)
	}
	return strings.Join(out, ", ")
}
