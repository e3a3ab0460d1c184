package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

//go:embed house/*.yaml
var house embed.FS

// Server is `tend serve` in the process of a demonstration. Its steps run on this machine.
type Server interface {
	// Address is where it answers over the network: http://127.0.0.1:…
	Address() string
	// API asks it over the socket, as the owner of its data directory.
	API() *client.API
	// Watch shows a run until it is over, or nobody here moves it. Where somebody sits at a terminal, it asks them; else it
	// waits for others to answer.
	Watch(ctx context.Context, run string) (Run, error)
	// Close ends it in order.
	Close() error
}

// hub is a server with what a demonstration needs to speak to it.
type hub struct {
	*Stage
	Server

	token string // that alerts are posted with
}

// secretName is how the configuration calls the token of the alerts.
const secretName = "demo_alerts"

// serve starts the server of a demonstration with these playbooks, triggers and guards, by file name.
func (d *Stage) serve(ctx context.Context, files map[string][]byte) (*hub, error) {
	conf, err := house.ReadFile("house/server.yaml")
	if err != nil {
		return nil, err
	}
	h := &hub{Stage: d, token: rand.Text()}
	all := map[string][]byte{"server.yaml": conf, "secrets/" + secretName: []byte(h.token)}
	for name, content := range files {
		all["playbooks/"+name] = content
	}
	for name, content := range all {
		file := filepath.Join(d.Dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "make %s", filepath.Dir(file))
		}
		if _, err := d.playbook(name, content); err != nil {
			return nil, err
		}
	}
	if h.Server, err = d.Serve(ctx, filepath.Join(d.Dir, "server.yaml")); err != nil {
		return nil, err
	}
	return h, nil
}

// alert is one alert as Alertmanager posts it.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// firing makes an alert that begins now.
func firing(fingerprint string, labels map[string]string) alert {
	return alert{Status: "firing", Labels: labels, Annotations: map[string]string{}, StartsAt: time.Now().UTC(), Fingerprint: fingerprint}
}

// resolved is the same alert when it is over.
func (a alert) resolved() alert {
	a.Status, a.EndsAt = "resolved", time.Now().UTC()
	return a
}

// post posts alerts as Alertmanager does (version 4), and gives what became of each.
func (h *hub) post(ctx context.Context, alerts ...alert) ([]wire.Receipt, error) {
	common := maps.Clone(alerts[0].Labels)
	for _, a := range alerts {
		maps.DeleteFunc(common, func(k, v string) bool { return a.Labels[k] != v })
	}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": fmt.Sprintf("{}:{alertname=%q}", common["alertname"]), "receiver": "tend", "status": alerts[0].Status,
		"groupLabels": map[string]string{"alertname": common["alertname"]}, "commonLabels": common, "commonAnnotations": map[string]string{},
		"externalURL": "http://127.0.0.1", "truncatedAlerts": 0, "alerts": alerts,
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Address()+"/hooks/alertmanager", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+h.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "post an alert")
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "read what the server says about an alert")
	}
	if res.StatusCode != http.StatusOK {
		return nil, fault.New(fault.Status, "the server answers an alert with %d: %s", res.StatusCode, said)
	}
	var out struct {
		Events []wire.Receipt `json:"events"`
	}
	err = json.Unmarshal(said, &out)
	if err == nil && len(out.Events) != len(alerts) {
		err = fault.New(fault.Internal, "%d alerts have %d decisions: %s", len(alerts), len(out.Events), said)
	}
	return out.Events, err
}

// decode reads the body of a row.
func decode[T any](body []byte) (T, error) {
	var v T
	return v, fault.Wrap(fault.Internal, json.Unmarshal(body, &v), "read a row")
}

// until asks again and again, until ok says so or too much time has passed.
func until(ctx context.Context, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, fault.New(fault.Timeout, "waited in vain until %s", what))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := ok(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// end leaves the server up as long as was asked for, and ends it.
func (h *hub) end(ctx context.Context, err error) error {
	if h.Stay != nil && (err == nil || errors.Is(err, ErrNotProven)) {
		h.say("\nThe server stays up until Ctrl-C. It answers on %s; with the rights of its owner:\n%s", h.Address(), h.Command("incidents list"))
		h.Stay(ctx)
	}
	return errors.Join(err, h.Close())
}
