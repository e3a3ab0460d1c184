package engine

import (
	"context"

	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/mask"
	"github.com/tendhq/tend/internal/program"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/store"
)

// Read reads a run with what the machine needs beside it: the answer to the output Load.
func Read(ctx context.Context, a *archive.Archive, id string) Loaded {
	l := Loaded{Run: id, Tasks: map[string]LoadedTask{}, Heads: map[string]store.Head{}}
	l.State, l.Head, l.Err = a.Run(ctx, id)
	if l.Err != nil {
		return l
	}
	for _, tid := range l.State.OpenTasks() {
		t, head, err := a.Task(ctx, tid)
		if err != nil {
			l.Err = err
			return l
		}
		l.Tasks[tid] = LoadedTask{Task: t, Head: head}
	}
	for _, g := range decodeGuards(l.State.Created.Guards) {
		h, err := a.Head(ctx, "guard/"+g.Name)
		if err != nil && !fault.Is(err, fault.Damaged) { // the machine knows where a damaged one goes on
			l.Err = err
			return l
		}
		l.Heads["guard/"+g.Name] = h
	}
	return l
}

// Call prepares the call of a sub-playbook: the answer to the output Bind. key seals what is sensitive in its parameters.
func Call(ctx context.Context, a *archive.Archive, x Bind, eval program.Evaluator, key seal.Key, move archive.Mover) Bound {
	b := Bound{Run: x.Run, Path: x.Path, Child: x.Child, Prog: x.Prog}
	if opened, err := bind(ctx, a, x, &b, eval, key, move); err != nil {
		message := mask.New(mask.Texts(opened)...).String(err.Error())
		b.Fault = &entry.Fault{Kind: string(fault.KindOf(err)), Message: message, Path: x.Path}
	}
	return b
}

// bind gives what it opened, which no error may tell.
func bind(ctx context.Context, a *archive.Archive, x Bind, b *Bound, eval program.Evaluator, key seal.Key, move archive.Mover) (opened []any, err error) {
	if x.Prog == nil {
		return nil, fault.New(fault.Internal, "the sub-playbook is not in the closure")
	}
	if b.Known, err = a.Called(ctx, x.Child, x.Run, x.Path); b.Known || err != nil {
		return nil, err
	}
	c := x.Created
	given, event, metadata, opened, err := key.Given(c.Cause.Root, x.Params, c.Event, c.Metadata)
	if err != nil {
		return opened, err
	}
	params, err := x.Prog.Bind(given, event, metadata, eval)
	if err != nil {
		return opened, err
	}
	if b.Params, _, err = key.Params(c.Cause.Root, x.Prog, params, opened); err != nil {
		return opened, err
	}
	if b.Body, b.Hash, err = a.Pin(x.Prog); err != nil {
		return opened, err
	}
	if x.Carry != "" {
		b.Carried, b.Changed, err = a.CarryCalled(ctx, x.Carry, archive.Call{By: c.By, Root: c.Cause.Root, Params: b.Params, Alike: x.Alike}, move)
	}
	return opened, err
}
