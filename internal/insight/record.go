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
	old map[string]bool
	now map[string]bool
}

// remembered bounds what a Memory keeps of each of its two halves.
const remembered = 20_000

func (m *Memory) get(id string) (verified, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if verified, ok = m.now[id]; !ok {
		verified, ok = m.old[id]
	}
	return verified, ok
}

func (m *Memory) put(id string, verified bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == nil || len(m.now) >= remembered {
		m.old, m.now = m.now, map[string]bool{}
	}
	m.now[id] = verified
}

// Recent looks at the last runs of a playbook that somebody may see, at most limit of them. It is quick: runs are found by
// the playbook's name, and what was verified is remembered.
func (m *Memory) Recent(ctx context.Context, r Reader, project, playbook string, limit int, sight *access.Sight) (Recent, error) {
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
		switch row.Status {
		case string(run.Succeeded):
			out.Succeeded++
			if x.Verified, err = m.verified(ctx, r, row.ID); err != nil {
				return out, err
			}
			if x.Verified {
				out.Verified++
			}
		case string(run.Failed):
			out.Failed++
		}
		out.Last = append(out.Last, x)
	}
	return out, nil
}

// verified reads whether what a run did was verified. A run that cannot be read proves nothing.
func (m *Memory) verified(ctx context.Context, r Reader, id string) (bool, error) {
	if v, ok := m.get(id); ok {
		return v, nil
	}
	x := &reader{Reader: r}
	var t told
	err := x.stream(ctx, "run/"+id, func(_ *entry.Entry, p entry.Payload) error { t.add(p); return nil })
	if fault.Is(err, fault.Damaged) || fault.Is(err, fault.Newer) || fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v := t.verified && !t.refuted
	m.put(id, v)
	return v, nil
}
