// Package age finds secrets in one file that is encrypted with age: a YAML or JSON map, or lines NAME=value.
//
// The file can stand beside the playbooks in Git; the identity that opens it cannot, and is refused when others than its
// owner can read it. The file is decrypted in memory at each Find and never written anywhere. Its version is that of the
// encrypted file. A secret inside nested maps is named by its path: the password in `db: {password: …}` is db/password,
// or db.password.
//
// What stands after `.age` is taken off says the format: secrets.yaml.age, secrets.json.age, secrets.env.age. Errors
// name the file and a line and never quote from what was decrypted.
package age

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/private"
)

// Provider implements secret.Provider.
type Provider struct {
	file, identity string
	format         format
}

// Open takes the encrypted file and the file with the identities (one AGE-SECRET-KEY-… each line) that open it. Both are
// read once, so that a wrong path or key is found before a run needs it, and again at each Find.
func Open(file, identity string) (*Provider, error) {
	f, err := formatOf(file)
	if err != nil {
		return nil, err
	}
	p := &Provider{file: file, identity: identity, format: f}
	if _, _, err := p.read(); err != nil {
		return nil, err
	}
	return p, nil
}

// Name implements secret.Provider.
func (*Provider) Name() string { return "age" }

// Find implements secret.Provider.
func (p *Provider) Find(_ context.Context, name string) (secret.Found, error) {
	if err := secret.CheckName(name); err != nil {
		return secret.Found{}, err
	}
	all, version, err := p.read()
	if err != nil {
		return secret.Found{}, err
	}
	v, ok := all[name]
	if !ok {
		v, ok = all[strings.ReplaceAll(name, ".", "/")]
	}
	if !ok {
		return secret.Found{}, fault.New(fault.Missing, "%s has no %s", p.file, name)
	}
	return secret.Found{Value: v, Version: version}, nil
}

// read decrypts the file. No error is fault.Missing: a file that is gone may have had the name.
func (p *Provider) read() (map[string]secret.Value, string, error) {
	ids, err := p.identities()
	if err != nil {
		return nil, "", err
	}
	sealed, version, err := private.ReadSealed(p.file)
	if err != nil {
		return nil, "", there(err)
	}
	plain, err := decrypt(sealed, ids)
	if err != nil {
		return nil, "", p.refusal(err)
	}
	all, err := p.format.parse(plain)
	clear(plain)
	if err != nil {
		return nil, "", fault.Wrap(fault.Parse, err, "read the decrypted %s", p.file)
	}
	return all, version, nil
}

func (p *Provider) identities() ([]age.Identity, error) {
	key, _, err := private.Read(p.identity)
	if err != nil {
		return nil, there(err)
	}
	defer clear(key)
	ids, err := age.ParseIdentities(bytes.NewReader(key))
	if err != nil {
		// The cause stays out: it may quote from the key.
		return nil, fault.New(fault.Parse, "%s holds no age identity", p.identity).
			WithNext("make one with: age-keygen -o '%s'", p.identity)
	}
	return ids, nil
}

func decrypt(sealed []byte, ids []age.Identity) ([]byte, error) {
	var r io.Reader = bytes.NewReader(sealed)
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(sealed, " \t\r\n"), []byte(armor.Header)):
		r = armor.NewReader(r)
	case !bytes.HasPrefix(sealed, []byte(intro)):
		return nil, errPlain
	}
	r, err := age.Decrypt(r, ids...)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, private.MaxSize+1))
	if err == nil && len(plain) > private.MaxSize {
		err = fault.New(fault.Limit, "more than %d bytes", private.MaxSize)
	}
	return plain, err
}

// intro is how every encrypted file begins that is not armored.
const intro = "age-encryption.org/"

var errPlain = errors.New("not encrypted")

// refusal says why the file could not be decrypted. Of the library's errors only their type is used: they quote from the
// file, and a file that somebody forgot to encrypt is all secrets.
func (p *Provider) refusal(err error) error {
	var none *age.NoIdentityMatchError
	var limit *fault.Error
	switch {
	case errors.Is(err, errPlain):
		return fault.New(fault.Parse, "%s is not encrypted with age", p.file).
			WithNext("encrypt it, and change the secrets in it: age -r RECIPIENT -o '%s' PLAINFILE", p.file)
	case errors.As(err, &none):
		return fault.New(fault.Auth, "no identity in %s opens %s", p.identity, p.file).
			WithNext("encrypt it for the recipient that age-keygen -y '%s' prints", p.identity)
	case errors.As(err, &limit):
		return fault.Wrap(limit.Kind, limit, "decrypt %s", p.file)
	}
	return fault.New(fault.Damaged, "%s is cut off or altered: it cannot be decrypted", p.file).
		WithNext("restore it from where it is kept")
}

func there(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Missing {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Message: f.Message, Next: f.Next, Err: f.Err}
}
