package frame

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
)

// Server gives the address of the server that commands ask, and the token for it; "" where they use a data directory.
func (p *Process) Server() (address, token string, err error) {
	address = p.Flags.Server
	if address == "" && p.Flags.DataDir == "" {
		address = p.Getenv("TEND_SERVER")
	}
	if address == "" {
		return "", "", nil
	}
	if p.Flags.Server != "" && p.Flags.DataDir != "" {
		return "", "", fault.New(fault.Invalid, "--server and --data-dir are two places").WithNext("leave one of them away")
	}
	if token = p.Getenv("TEND_TOKEN"); token != "" {
		return address, token, nil
	}
	known, err := p.Credentials()
	return address, known.Servers[Trimmed(address)].Token, err
}

// Here refuses --server for commands about this machine.
func (p *Process) Here(c *cobra.Command) error {
	if p.Flags.Server != "" {
		return fault.New(fault.Invalid, "%s is about this machine, and not about a server elsewhere", c.CommandPath()).WithNext("leave --server away")
	}
	return nil
}

// Trimmed is the form in which addresses are remembered.
func Trimmed(address string) string { return strings.ToLower(strings.TrimRight(address, "/")) }

// Credentials are the tokens of this user, by server.
type Credentials struct {
	Servers map[string]Credential `json:"servers"`

	file string
}

// Credential is the token for one server.
type Credential struct {
	Name  string `json:"name"` // who the server said we are
	Token string `json:"token"`
}

// Credentials reads the tokens of this user. Others must not be able to.
func (p *Process) Credentials() (Credentials, error) {
	c := Credentials{Servers: map[string]Credential{}}
	dir, err := config.Dir(p.Getenv)
	if err != nil {
		return c, err
	}
	c.file = filepath.Join(dir, "credentials.json")
	info, err := os.Stat(c.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fault.Wrap(fault.Unavailable, err, "read the tokens")
	case info.Mode().Perm()&0o077 != 0:
		return c, fault.New(fault.Refused, "others may read the tokens in %s (mode %04o)", c.file, info.Mode().Perm()).WithNext("chmod 600 '%s'", c.file)
	}
	b, err := os.ReadFile(c.file)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if c.Servers == nil {
		c.Servers = map[string]Credential{}
	}
	return c, fault.Wrap(fault.Invalid, err, "read the tokens in %s", c.file)
}

// Save replaces the file as a whole, with a mode that lets nobody else read it.
func (c Credentials) Save() error {
	if err := os.MkdirAll(filepath.Dir(c.file), 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "make %s", filepath.Dir(c.file))
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.file), ".credentials-*") // mode 0600
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "keep the token")
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), c.file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return fault.Wrap(fault.Unavailable, err, "keep the token in %s", c.file)
}
