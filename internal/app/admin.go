package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/httpapi"
)

// adminFile holds the hash of the local admin's token.
const adminFile = "admin.token"

// admin is the gate of a server on which nobody else can sign on: it knows the owner's processes, and whoever has the
// token that was shown when the server started for the first time. The token is believed on loopback addresses only.
type admin struct {
	sum      []byte
	loopback bool
}

// openAdmin reads the hash of the token. Where there is none yet, and the server can be reached from this machine only, a
// token is made and given: it is not kept.
func openAdmin(dir, listen string) (httpapi.Gate, string, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, "", fault.Wrap(fault.Invalid, err, "read the address to listen on")
	}
	a := &admin{loopback: config.Loopback(host)}
	name := filepath.Join(dir, adminFile)
	b, err := os.ReadFile(name)
	switch {
	case err == nil:
		a.sum, err = hex.DecodeString(strings.TrimSpace(string(b)))
		if err != nil || len(a.sum) != sha256.Size {
			return nil, "", fault.New(fault.Damaged, "%s does not hold the hash of a token", name).WithNext("remove it: the next start makes another token")
		}
		return a, "", nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, "", cannotWrite(err, dir, "read the data directory")
	case !a.loopback:
		return a, "", nil
	}
	token := "tend_admin_" + rand.Text()
	sum := sha256.Sum256([]byte(token))
	a.sum = sum[:]
	if err := writeDurable(name, []byte(hex.EncodeToString(a.sum)+"\n")); err != nil {
		return nil, "", cannotWrite(err, dir, "write to the data directory")
	}
	return a, token, nil
}

// Identify implements httpapi.Gate.
func (a *admin) Identify(r *http.Request) (access.Principal, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return access.Principal{}, fault.New(fault.Auth, "no token was sent").WithNext("sign on: tend login")
	case !a.loopback || a.sum == nil:
		return access.Principal{}, fault.New(fault.Auth, "nobody can sign on here").WithNext("use the socket in the data directory, with `tend`")
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], a.sum) != 1 {
		return access.Principal{}, fault.New(fault.Auth, "the token is not known").WithNext("sign on: tend login")
	}
	return access.Principal{ID: "local:admin", Name: "local admin", Via: "api", From: r.RemoteAddr}, nil
}

// Authorize implements httpapi.Gate: both may do everything.
func (a *admin) Authorize(_ context.Context, p access.Principal, _ access.Need) error {
	if p.Local || p.ID == "local:admin" {
		return nil
	}
	return fault.New(fault.Refused, "%s may not do this", p.Name)
}
