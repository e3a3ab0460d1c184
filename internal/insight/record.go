package insight

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/store"
)

// Recent is how a playbook fared in its last runs.
type Recent struct {
	Runs, Succeeded, Failed, Verified int
	Verifiable                        int         // had something to prove; see Team
	Last                              []RecentRun // the newest first
}

// RecentRun is one of them.
type RecentRun struct {
	ID, Status, By string
	Began, Ended   time.Time
	Verified       bool // it succeeded, and a verification held
}

// Memory remembers which runs were verified: runs that have ended do not change. It is safe for concurrent use; the zero
// Memory is ready.
type Memory struct {
	mu  sync.Mutex
	old map[string]proof
	now map[string]proof
}

// proof is what a run proved.
type proof struct{ verifiable, verified bool }

// remembered bounds what a Memory keeps of each of its two halves.
const remembered = 20_000

func (m *Memory) get(id string) (p proof, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok = m.now[id]; !ok {
		p, ok = m.old[id]
	}
	return p, ok
}

func (m *Memory) put(id string, p proof) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil || len(m.now) >= remembered {
		m.old, m.now = m.now, map[string]proof{}
	}
	m.now[id] = p
}

// Recent looks at the last runs of a playbook that somebody may see, at most limit of them. It is quick: runs are found by
// the playbook's name, and what was verified is remembered. verifies says that the playbook has a verification.
func (m *Memory) Recent(ctx context.Context, r Reader, project, playbook string, verifies bool, limit int, sight *access.Sight) (Recent, error) {
	var out Recent
	page, err := r.Rows(ctx, store.Filter{Kind: "run", Project: project, Name: playbook, Limit: limit, Sight: sight})
	if err != nil {
		return out, err
	}
	for i := range page.Rows {
		row := &page.Rows[i]
		var body struct {
			By    entry.Who `json:"by"`
			Ended time.Time `json:"ended"`
		}
		_ = json.Unmarshal(row.Body, &body) // what cannot be read is left out
		x := RecentRun{ID: row.ID, Status: row.Status, By: body.By.Name, Began: row.At, Ended: body.Ended}
		out.Runs++
		p := proof{verifiable: verifies && row.Status == string(run.Failed)}
		if verifies && row.Status == string(run.Succeeded) {
			if p, err = m.proof(ctx, r, row.ID); err != nil {
				return out, err
			}
		}
		x.Verified = p.verified
		switch row.Status {
		case string(run.Succeeded):
			out.Succeeded++
		case string(run.Failed):
			out.Failed++
		}
		if p.verifiable {
			out.Verifiable++
		}
		if p.verified {
			out.Verified++
		}
		out.Last = append(out.Last, x)
	}
	return out, nil
}

// proof reads what a run that succeeded proved. A run that cannot be read proves nothing.
func (m *Memory) proof(ctx context.Context, r Reader, id string) (proof, error) {
	if p, ok := m.get(id); ok {
		return p, nil
	}
	x := &reader{Reader: r}
	var t told
	err := x.stream(ctx, "run/"+id, func(_ *entry.Entry, p entry.Payload) error { t.add(p); return nil })
	if fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer) || fault.Is(err, fault.NotFound) {
		return proof{}, nil
	}
	if err != nil {
		return proof{}, err
	}
	p := proof{t.verifiable(false), t.proved()}
	m.put(id, p)
	return p, nil
}
