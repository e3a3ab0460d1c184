// Package memory keeps blobs in a map: the reference implementation, for tests, simulations and plans.
package memory

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/tendhq/tend/internal/blob"
)

// Store implements blob.Store. The zero Store is empty.
type Store struct {
	mu     sync.RWMutex
	groups map[string]map[string][]byte
}

// New makes an empty store.
func New() *Store { return new(Store) }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, group string, r io.Reader) (blob.Ref, error) {
	if err := blob.CheckGroup(group); err != nil {
		return blob.Ref{}, err
	}
	return s.write(ctx, group, blob.NewID(), r)
}

func (s *Store) write(ctx context.Context, group, id string, r io.Reader) (blob.Ref, error) {
	var b bytes.Buffer
	seal := blob.NewSealer(id)
	if err := blob.Copy(ctx, io.MultiWriter(&b, seal), r); err != nil {
		return blob.Ref{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups == nil {
		s.groups = map[string]map[string][]byte{}
	}
	if s.groups[group] == nil {
		s.groups[group] = map[string][]byte{}
	}
	s.groups[group][id] = b.Bytes()
	return seal.Ref(), nil
}

// Get implements blob.Store.
func (s *Store) Get(_ context.Context, group string, ref blob.Ref) (io.ReadCloser, error) {
	s.mu.RLock()
	b, ok := s.groups[group][ref.ID]
	s.mu.RUnlock()
	if !ok {
		return nil, blob.Unknown(group, ref.ID)
	}
	return blob.Check(group, ref, io.NopCloser(bytes.NewReader(b))), nil
}

// Replace implements blob.Store.
func (s *Store) Replace(ctx context.Context, group string, ref blob.Ref, r io.Reader) (blob.Ref, error) {
	s.mu.RLock()
	_, ok := s.groups[group][ref.ID]
	s.mu.RUnlock()
	if !ok {
		return blob.Ref{}, blob.Unknown(group, ref.ID)
	}
	return s.write(ctx, group, ref.ID, r)
}

// List implements blob.Store.
func (s *Store) List(_ context.Context, group string) ([]string, error) {
	if err := blob.CheckGroup(group); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := make([]string, 0, len(s.groups[group]))
	for id := range s.groups[group] {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// Delete implements blob.Store.
func (s *Store) Delete(_ context.Context, group string) error {
	if err := blob.CheckGroup(group); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.groups, group)
	return nil
}

// Tamper lets a test damage a stored blob.
func (s *Store) Tamper(group, id string, change func([]byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.groups[group][id]; ok {
		s.groups[group][id] = change(slices.Clone(b))
	}
}
