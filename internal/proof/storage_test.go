package proof_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/testenv/tend"
)

const fineSteps = `
steps:
  - {id: a, uses: shell, effect: read, with: {script: echo one}}
  - {id: b, uses: shell, effect: read, with: {script: echo two}}
`

// TestFullDiskAtTheStart: nothing begins, nothing is lost, and it works again when there is space.
func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	fine := playbook(h, "fine", fineSteps)
	if err := os.Mkdir(h.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	tmpfs(t, h.Data, 4)
	filler := filepath.Join(h.Data, "filler")
	fill(t, filler)
	expect(t, h.Run("run", fine), 1, "^tend: .*"+regexp.QuoteMeta(h.Data), "full|no space", "next: .*space")
	remove(t, filler)
	expect(t, h.Run("run", fine), 0, "^succeeded")
	fill(t, filler)
	r := h.Run("run", fine)
	expect(t, r, 1, "^tend: ", "full|no space", "next: ")
	remove(t, filler)
	expect(t, h.Run("runs", "verify", "--all"), 0)
	list := h.Run("runs", "list", "-o", "name")
	if n := len(strings.Fields(list.Out)); n != 1 {
		t.Errorf("%d runs are there: only one was begun\n%s", n, list)
	}
}

// TestFullDiskInTheMiddle: what was done is not forgotten: it is recorded once there is space, and the run goes on.
func TestFullDiskInTheMiddle(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	if err := os.Mkdir(h.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	tmpfs(t, h.Data, 4)
	fills := playbook(h, "fills", `
steps:
  - uses: shell
    with: {script: 'echo one >> effects; cat /dev/zero > "$HOME/../data/filler" 2>/dev/null; true'}
  - uses: shell
    with: {script: 'echo two >> effects'}
`)
	c := h.Command("run", fills)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(h.Data, "filler")
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	until(t, "the disk is full", func() bool { return full(filepath.Join(h.Data, "probe")) })
	select {
	case err := <-ended:
		t.Errorf("it gave up: %v\n%s", err, &out)
	case <-time.After(2 * time.Second): // so long it must at least bear with it
		remove(t, filler)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%v\n%s", err, &out)
			}
		case <-time.After(30 * time.Second):
			_ = c.Process.Kill()
			t.Fatalf("it did not go on when there was space again\n%s", &out)
		}
	}
	tend.Calm(t, out.String())
	b, err := os.ReadFile(filepath.Join(h.Dir, "effects"))
	if err != nil || string(b) != "one\ntwo\n" {
		t.Errorf("effects %q %v", b, err)
	}
	remove(t, filler)
	expect(t, h.Run("runs", "verify", "--all"), 0)
	expect(t, h.Run("runs", "list"), 0, "fills +succeeded")
}

func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 1<<16); err == nil; {
		_, err = f.Write(block)
	}
	_ = f.Close()
}

// full tells whether nothing fits any more.
func full(probe string) bool {
	err := os.WriteFile(probe, make([]byte, 1<<14), 0o600)
	_ = os.Remove(probe)
	return err != nil
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in vain waited until %s", what)
		}
	}
}

// TestReadOnlyDirectory: one that cannot be written to is named, for every command, with what to do.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	fine := playbook(h, "fine", fineSteps)
	expect(t, h.Run("run", fine), 0)
	if os.Geteuid() == 0 {
		readOnly(t, h.Data)
	} else if err := os.Chmod(h.Data, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(h.Data, 0o700) })
	for _, args := range [][]string{{"run", fine}, {"runs", "list"}, {"inbox"}} {
		expect(t, h.Run(args...), 1, "^tend: .*"+regexp.QuoteMeta(h.Data), "next: .*--data-dir")
	}
}

// TestForeignDirectory: another user's data directory is left alone.
func TestForeignDirectory(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	fine := playbook(h, "fine", fineSteps)
	dir := "/" // of root
	if os.Geteuid() == 0 {
		dir = h.Data
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"run", fine}, {"runs", "list"}, {"inbox"}} {
		expect(t, h.Run(append(args, "--data-dir", dir)...), 5, "belongs to user", "next: ")
	}
	if names, err := os.ReadDir(h.Data); err == nil && len(names) > 0 {
		t.Errorf("it left %v there", names)
	}
}

// copyDir gives a house whose data directory is a copy.
func copyDir(t *testing.T, from *tend.House) *tend.House {
	t.Helper()
	h := tend.New(t)
	if out, err := exec.Command("cp", "-R", from.Data, h.Data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return h
}

var runID = regexp.MustCompile(`run_[0-9a-z]{20}`)

// TestDamage flips a bit here and there in the database, and cuts it. Whatever is damaged: no command crashes or hangs,
// what cannot be read is named, what is shown is what was recorded, and verify says whether all is whole.
func TestDamage(t *testing.T) {
	t.Parallel()
	whole := tend.New(t)
	fine := playbook(whole, "fine", fineSteps)
	for range 3 {
		expect(t, whole.Run("run", fine), 0)
	}
	runs := strings.Fields(whole.Run("runs", "list", "-o", "name").Out)
	truth := map[string]string{}
	for _, id := range runs {
		truth[id] = whole.Run("runs", "show", id, "-o", "json").Out
	}
	size := length(t, filepath.Join(whole.Data, "tend.db"))
	r := rand.New(rand.NewPCG(7, 11))
	tries := 24
	if testing.Short() {
		tries = 6
	}
	noticed := 0
	for i := range tries {
		h := copyDir(t, whole)
		db := filepath.Join(h.Data, "tend.db")
		var what string
		if i%6 == 5 {
			at := r.Int64N(size)
			what = fmt.Sprintf("cut at %d of %d", at, size)
			if err := os.Truncate(db, at); err != nil {
				t.Fatal(err)
			}
		} else {
			at, bit := r.Int64N(size), r.IntN(8)
			what = fmt.Sprintf("bit %d of byte %d of %d", bit, at, size)
			flip(t, db, at, byte(1)<<bit)
		}
		list := h.Run("runs", "list", "-o", "name")
		if list.Code != 0 && (!strings.Contains(list.Err, h.Data) && !runID.MatchString(list.Err) && !strings.Contains(list.Err, "tend.db") || !strings.Contains(list.Err, "next: ")) {
			t.Errorf("%s: %s", what, list)
		}
		verify := h.Run("runs", "verify", "--all")
		if verify.Code != 0 || list.Code != 0 {
			noticed++
		}
		for _, id := range strings.Fields(list.Out) {
			show := h.Run("runs", "show", id, "-o", "json")
			if show.Code == 0 && show.Out != truth[id] && !strings.Contains(show.All(), "remarks") && verify.Code == 0 {
				t.Errorf("%s: run %s is shown otherwise than it was, and verify finds nothing\n%s", what, id, show)
			}
		}
	}
	t.Logf("%d of %d damages were noticed: the others hit nothing that is used", noticed, tries)
}

func flip(t *testing.T, file string, at int64, mask byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= mask
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func length(t *testing.T, file string) int64 {
	t.Helper()
	i, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return i.Size()
}

// TestDamagedRunIsQuarantined: a run whose stream was changed is put aside when somebody wants it to go on; it is named,
// the others are listed and go on.
func TestDamagedRunIsQuarantined(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	asks := playbook(h, "asks", "parameters: [{name: word, type: string, description: A word.}]\nsteps:\n"+
		"  - {id: ok, uses: approve, with: {message: 'go on with {{ $.params.word }}?'}}\n  - {uses: shell, with: {script: 'echo x >> effects'}}\n")
	expect(t, h.Run("run", asks, "-p", "word=hare-and-hedgehog"), 6)
	expect(t, h.Run("run", asks, "-p", "word=fox"), 6)
	var hare, fox string
	for _, id := range strings.Fields(h.Run("runs", "list", "-o", "name").Out) {
		if strings.Contains(h.Run("runs", "show", id, "-o", "json").Out, "hare-and") {
			hare = id
		} else {
			fox = id
		}
	}
	db := filepath.Join(h.Data, "tend.db")
	b, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(`"params":{"word":"hare-and-hedgehog"`))
	if at < 0 {
		t.Fatal("the entry is not where it was thought to be")
	}
	flip(t, db, int64(at)+20, 1)
	expect(t, h.Run("runs", "resume", hare), 1, hare)
	list := h.Run("runs", "list")
	expect(t, list, 0, hare+" .*quarantined", fox+" .*waiting")
	expect(t, h.Run("runs", "verify", hare), 1, "run/"+hare+" entry 1")
	expect(t, h.Run("runs", "explain", hare), 0, "quarantined")
	expect(t, h.Run("inbox", "approve", "last", "--resume"), 0)
	expect(t, h.Run("runs", "list"), 0, hare+" .*quarantined", fox+" .*succeeded")
	if b, err := os.ReadFile(filepath.Join(h.Dir, "effects")); err != nil || string(b) != "x\n" {
		t.Errorf("effects %q %v", b, err)
	}
}
