// Package file finds secrets in a directory that holds one file for each: the secret prod/db in DIR/prod/db.
//
// Such a directory is what orchestrators and service managers mount for a process. One line break at the end of a file
// is not part of the secret. Files that others than their owner can use are refused, links may not lead out of the
// directory, and what is not text is refused.
package file

import (
	"bytes"
	"context"
	"os"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/private"
)

// Provider implements secret.Provider.
type Provider struct{ dir string }

// Open takes the directory dir, which must be there. It is read again at each Find.
func Open(dir string) (*Provider, error) {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return nil, fault.New(fault.Missing, "there is no secrets directory %s", dir).WithNext("mkdir -m 700 '%s'", dir)
	case err != nil:
		return nil, fault.Wrap(fault.Unavailable, err, "open the secrets directory")
	case !info.IsDir():
		return nil, fault.New(fault.Invalid, "%s is not a directory", dir)
	}
	return &Provider{dir: dir}, nil
}

// Name implements secret.Provider.
func (*Provider) Name() string { return "file" }

// Find implements secret.Provider.
func (p *Provider) Find(_ context.Context, name string) (secret.Found, error) {
	if err := secret.CheckName(name); err != nil {
		return secret.Found{}, err
	}
	b, version, err := private.ReadIn(p.dir, name)
	if err != nil {
		return secret.Found{}, err
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return secret.Found{}, fault.New(fault.Parse, "the secret %q in %s is not text", name, p.dir).
			WithNext("store binary secrets in base64")
	}
	text, ok := bytes.CutSuffix(b, []byte("\r\n"))
	if !ok {
		text = bytes.TrimSuffix(b, []byte("\n"))
	}
	return secret.Found{Value: secret.New(string(text)), Version: version}, nil
}
