package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/ledger"
	"github.com/tendhq/tend/internal/repeat"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/value"
)

// rowAnswer is the kind of rows that hold what was answered to requests with an idempotency key. They are derived from
// nothing, and gone after a day.
const rowAnswer = "answer"

// answerBook keeps answers in the store, sealed: what somebody was told is not for whoever reads rows.
type answerBook struct {
	ledger *ledger.Ledger
	key    seal.Key
}

var _ repeat.Answers = answerBook{}

func answerKey(id string) store.Key { return store.Key{Kind: rowAnswer, ID: id} }

// All implements repeat.Answers. One that cannot be opened (its key is not here any more) is as good as none.
func (b answerBook) All(ctx context.Context, each func(string, repeat.Answered)) error {
	return b.ledger.Each(ctx, store.Filter{Kind: rowAnswer, Oldest: true}, func(r store.Row) error {
		if a, ok := b.open(r); ok {
			each(r.ID, a)
		}
		return nil
	})
}

func (b answerBook) open(r store.Row) (a repeat.Answered, ok bool) {
	var body struct {
		Box []byte `json:"box"`
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return a, false
	}
	plain, err := b.key.Open(rowAnswer+"/"+r.ID, body.Box)
	return a, err == nil && json.Unmarshal(plain, &a) == nil
}

// Put implements repeat.Answers.
func (b answerBook) Put(ctx context.Context, id string, a repeat.Answered, forget []string) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encode an answer")
	}
	box, err := b.key.Seal(rowAnswer+"/"+id, plain)
	if err != nil {
		return err
	}
	body, err := value.Canonical(map[string]any{"box": base64.StdEncoding.EncodeToString(box)})
	if err != nil {
		return err
	}
	batch := ledger.Batch{Rows: []store.Row{{Key: answerKey(id), Project: home, At: a.At, Due: a.At.Add(24 * time.Hour), Body: body}}}
	for _, old := range forget {
		batch.Delete = append(batch.Delete, answerKey(old))
	}
	return b.ledger.Append(ctx, batch)
}

// Forget implements repeat.Answers.
func (b answerBook) Forget(ctx context.Context, ids []string) error {
	var batch ledger.Batch
	for _, id := range ids {
		batch.Delete = append(batch.Delete, answerKey(id))
	}
	return b.ledger.Append(ctx, batch)
}
