// Package kill_test kills the real binary with SIGKILL, again and again, and looks at what is left.
//
// Playbooks whose steps are scripts that count their effects in a file outside of tend are run, killed, resumed, killed,
// answered and resumed, until they end. The killer chooses its moments so that each of the four windows around an effect
// is hit: before its intent is durable, between intent and result, inside a commit, and after the commit of the result.
// It does not trust its aim: which window was hit is told afterwards, by what the store holds (see story) and, for the
// commit, by the system call in which the process stood still before it died (see committing).
//
// After every kill: nothing that was acknowledged is lost, every chain verifies, the run shows as interrupted and does
// not move by itself, and no effect is there without its intent. After every run: no step has more effects than its
// policy and the recorded answers of people allow.
package kill_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tendhq/tend/internal/testenv/tend"
)

// killsVar says how often the binary is killed. scripts/kill sets it.
const killsVar = "TEND_KILLS"

func TestMain(m *testing.M) { tend.Main(m) }

// window is a time around the effect of a step.
type window string

const (
	before  window = "before the intent"
	between window = "between intent and result"
	inside  window = "inside the commit"
	after   window = "after the result"
	parked  window = "while a person is asked" // counts for nothing
)

// windows are the ones that must be hit.
var windows = []window{before, between, inside, after}

func kills(t *testing.T) int {
	t.Helper()
	if s := os.Getenv(killsVar); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q is no number of kills", killsVar, s)
		}
		return n
	}
	if testing.Short() {
		return 8
	}
	return 40
}

// tally counts what was hit. Its methods may be called by several loops.
type tally struct {
	mu      sync.Mutex
	want    int // kills
	each    int // of every window, at least
	count   map[window]int
	effects map[string]int // kills between intent and result, by whether the effect was there
	runs    map[string]int // by how they ended
	answers map[string]int
}

// next gives the window that needs hits most; false when there are enough of all.
func (c *tally) next(r *rand.Rand) (window, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := 0
	for _, n := range c.count {
		all += n
	}
	least := slices.MinFunc(windows, func(a, b window) int { return cmp.Compare(c.count[a], c.count[b]) })
	if all >= c.want && c.count[least] >= c.each {
		return "", false
	}
	if r.IntN(3) == 0 {
		return windows[r.IntN(len(windows))], true
	}
	return least, true
}

func (c *tally) hit(w window, effects string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[w]++
	if effects != "" {
		c.effects[effects]++
	}
}

func (c *tally) add(m map[string]int, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m[what]++
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	all := 0
	for _, w := range append(slices.Clone(windows), parked) {
		fmt.Fprintf(&b, "%-28s %4d", w, c.count[w])
		if all += c.count[w]; w == between {
			fmt.Fprintf(&b, "   effect there: %d, not there: %d", c.effects["there"], c.effects["not there"])
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%-28s %4d\nruns %v, answers %v", "kills", all, c.runs, c.answers)
	return b.String()
}

// TestKill is the loop.
func TestKill(t *testing.T) {
	t.Parallel()
	needProc(t)
	n := kills(t)
	c := &tally{want: n, each: max(1, n/10), count: map[window]int{}, effects: map[string]int{}, runs: map[string]int{}, answers: map[string]int{}}
	seed := uint64(os.Getpid())
	t.Run("loops", func(t *testing.T) {
		for i := range uint64(2) {
			t.Run(strconv.FormatUint(i, 10), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, i))
				h := settle(t)
				for n := 0; ; n++ {
					if _, more := c.next(r); !more || t.Failed() {
						return
					}
					l := &loop{t: t, house: h, tally: c, random: r, out: filepath.Join(h.Dir, fmt.Sprint("effects-", n))}
					l.run([]string{"serial", "blocks", "undo"}[n%3])
				}
			})
		}
	})
	t.Logf("seed %d\n%s", seed, c)
	for _, w := range windows {
		if !t.Failed() && c.count[w] < c.each {
			t.Errorf("%s: %d kills, fewer than %d", w, c.count[w], c.each)
		}
	}
	if !t.Failed() && (c.effects["there"] == 0 || c.effects["not there"] == 0) && n >= 40 {
		t.Errorf("kills between intent and result were all of one kind: %v", c.effects)
	}
}

// settle puts the playbooks into a house.
func settle(t *testing.T) *tend.House {
	t.Helper()
	h := tend.New(t)
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		h.Write(filepath.Base(f), string(b))
	}
	return h
}
