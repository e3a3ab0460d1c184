package archive

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/value"
)

// Mover brings what belongs to one root run to another.
type Mover struct {
	// Blob copies a blob. nil: there is none.
	Blob func(ctx context.Context, from, to string, ref entry.Ref) (entry.Ref, error)
	Key  seal.Key // seals anew
}

// Reseal makes data that was recorded below one root that of another.
func Reseal(k seal.Key, from, to string, data ...*map[string]any) error {
	_, open := k.For(from)
	sealer, _ := k.For(to)
	for _, m := range data {
		v, err := expr.Reseal(*m, open, sealer)
		if err != nil {
			return err
		}
		*m, _ = v.(map[string]any)
	}
	return nil
}

// Called tells whether a call was made before: the run child is there, and the one that called it at path does not know it
// any more. A run that is there and cannot be read is that one too: it shows as quarantined.
func (a *Archive) Called(ctx context.Context, child, parent, path string) (bool, error) {
	first, err := a.store.Read(ctx, "run/"+child, 1, 1)
	switch {
	case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer):
		return true, nil
	case err != nil, len(first) == 0:
		return false, nil //nolint:nilerr // if it is there all the same, the commit conflicts
	}
	p, err := entry.Decode(first[0])
	if err != nil {
		return true, nil //nolint:nilerr // see above
	}
	if c, ok := p.(*entry.RunCreated); !ok || c.Cause.Parent != parent || c.Cause.Path != path {
		return false, fault.New(fault.Conflict, "%s would run as %s, which is another run", path, child)
	}
	return true, nil
}

// Call is how a run that carries another one on is called.
type Call struct {
	By     entry.Who
	Root   string
	Params map[string]any
	Alike  bool // it must be called with the parameters of the other one
}

// CarryCalled gives what a called run takes over from the ended run that it carries on, and the parameters that a person
// had changed there and that are called as before.
func (a *Archive) CarryCalled(ctx context.Context, from string, x Call, move Mover) (*entry.RunCarried, *entry.ParamsChanged, error) {
	s, _, err := a.Run(ctx, from)
	if err != nil {
		return nil, nil, err
	}
	was, is := map[string]any(s.Created.Params), map[string]any(s.Params)
	if err := Reseal(move.Key, groupOf(s), x.Root, &was, &is); err != nil { // the same text gives the same box
		return nil, nil, err
	}
	if x.Alike && !sameAll(x.Params, was) {
		return nil, nil, fault.New(fault.Conflict,
			"it would carry on run %s, which was called with other parameters: what it is about has changed since", from).
			WithNext("look at what that run did (tend runs show %s), finish it by hand, and start a new run", from)
	}
	carried, err := taken(ctx, s, x.Root, move)
	if err != nil {
		return nil, nil, err
	}
	var changed *entry.ParamsChanged
	for name, v := range is {
		was := was[name]
		if same(v, was) || !same(x.Params[name], was) {
			continue
		}
		if changed == nil {
			changed = &entry.ParamsChanged{By: x.By, Params: value.Object{}, Why: "changed in run " + s.ID}
		}
		changed.Params[name] = v
	}
	return carried, changed, nil
}

// same compares parameters as they are recorded.
func same(a, b any) bool {
	x, err1 := value.Canonical(a)
	y, err2 := value.Canonical(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func sameAll(a, b map[string]any) bool {
	return len(a) == 0 && len(b) == 0 || same(a, b)
}

// taken gives what a run below root takes over from s. Large outputs go with it: what a root run needs is in its group.
func taken(ctx context.Context, s *run.State, root string, move Mover) (*entry.RunCarried, error) {
	c, err := run.Carry(s)
	if err != nil {
		return nil, err
	}
	err = c.Move(func(ref entry.Ref) (entry.Ref, error) {
		return move.Blob(ctx, groupOf(s), root, ref)
	})
	if err != nil {
		return nil, fault.Wrap(fault.KindOf(err), err, "take over the outputs of run %s", s.ID)
	}
	state, err := c.State()
	if err != nil {
		return nil, err
	}
	all := map[string]any(state)
	err = Reseal(move.Key, groupOf(s), root, &all)
	return &entry.RunCarried{From: s.ID, State: all}, err
}

// groupOf is the root run, to which blobs and what is sealed belong.
func groupOf(s *run.State) string { return cmp.Or(s.Created.Cause.Root, s.ID) }

// Carry gives what the run root, a retry of the ended run s, takes over, when s and all the runs that are carried on with
// it can be retried.
func (a *Archive) Carry(ctx context.Context, s *run.State, root string, move Mover) (*entry.RunCarried, error) {
	if err := a.carries(ctx, s); err != nil {
		return nil, err
	}
	return taken(ctx, s, root, move)
}

// carries tells whether a run can be carried on with all that it called.
func (a *Archive) carries(ctx context.Context, s *run.State) error {
	c, err := run.Carry(s)
	if err != nil {
		return err
	}
	for _, id := range c.Calls() {
		k, _, err := a.Run(ctx, id)
		if err == nil {
			err = a.carries(ctx, k)
		}
		if err != nil {
			e := &fault.Error{Kind: fault.Conflict, Message: "run " + s.ID + " called run " + id + ", which cannot be carried on", Err: err}
			return e.WithNext("look at what it did (tend runs explain %s), finish that by hand, and start a new run", id)
		}
	}
	return nil
}

// Caller finds the run whose retry would carry on the ended run s: the one that called it, or one above that; "" none.
func (a *Archive) Caller(ctx context.Context, s *run.State) (top string, err error) {
	for at := s; at.Created.Cause.Parent != ""; {
		p, _, err := a.Run(ctx, at.Created.Cause.Parent)
		switch {
		case fault.Is(err, fault.Damaged), fault.Is(err, fault.Newer), fault.Is(err, fault.NotFound):
			return top, nil // nobody retries that
		case err != nil:
			return "", err
		case !carriesOn(p, at.ID):
			return top, nil
		}
		top, at = p.ID, p
	}
	return top, nil
}

// carriesOn tells whether the retry of a run, if there can be one, carries on a run that it called.
func carriesOn(s *run.State, called string) bool {
	c, err := run.Carry(s)
	return err == nil && slices.Contains(c.Calls(), called)
}
