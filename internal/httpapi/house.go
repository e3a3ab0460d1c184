package httpapi

import (
	"net/http"
	"path/filepath"

	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) answer(w http.ResponseWriter, r *http.Request) error {
	var req wire.Answer
	if err := decode(r, &req); err != nil {
		return err
	}
	status, err := s.Engine.Answer(r.Context(), engine.Answer{
		Task: r.PathValue("run"), Choice: req.Choice, Output: req.Output, By: s.who(r), Why: req.Why,
	})
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, wire.Answered{Status: status})
}

func (s *server) send(w http.ResponseWriter, r *http.Request) error {
	var req wire.Send
	if err := decode(r, &req); err != nil {
		return err
	}
	if req.Name == "" {
		return fault.New(fault.Invalid, "the event has no name")
	}
	runs, err := s.Engine.Send(r.Context(), req.Name, req.Key, req.Payload, s.who(r))
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, wire.Sent{Runs: append([]string{}, runs...)})
}

func (s *server) status(w http.ResponseWriter, r *http.Request) error {
	st, err := s.Engine.Status(r.Context())
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, st)
}

func (s *server) unhalt(w http.ResponseWriter, r *http.Request) error {
	var req wire.Unhalt
	if err := decode(r, &req); err != nil {
		return err
	}
	doubts, err := s.Engine.Unhalt(r.Context(), s.who(r), req.Why)
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, wire.Unhalted{Doubts: append([]string{}, doubts...)})
}

func (s *server) backup(w http.ResponseWriter, r *http.Request) error {
	var req wire.Backup
	if err := decode(r, &req); err != nil {
		return err
	}
	if s.House == nil {
		return fault.New(fault.Refused, "backups are not offered here")
	}
	if !filepath.IsAbs(req.Path) {
		return fault.New(fault.Invalid, "path %q is not absolute", req.Path)
	}
	done, err := s.House.Backup(r.Context(), req.Path)
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, done)
}

func (s *server) verify(w http.ResponseWriter, r *http.Request) error {
	if s.House == nil {
		return fault.New(fault.Refused, "verifying everything is not offered here")
	}
	done, err := s.House.Verify(r.Context())
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, done)
}

func (s *server) secrets(w http.ResponseWriter, r *http.Request) error {
	var req wire.Secrets
	if err := decode(r, &req); err != nil {
		return err
	}
	if s.House == nil {
		return encode(w, http.StatusOK, wire.MissingSecrets{Missing: []wire.Problem{}})
	}
	missing, err := s.House.MissingSecrets(r.Context(), req.Names)
	if err != nil {
		return err
	}
	return encode(w, http.StatusOK, wire.MissingSecrets{Missing: append([]wire.Problem{}, missing...)})
}
