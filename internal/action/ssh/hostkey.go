package ssh

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/tendhq/tend/internal/fault"
)

// hostKeys are the keys that hosts are known by. A host without a known key is not spoken to.
type hostKeys struct {
	known       ssh.HostKeyCallback
	authorities bool   // there are lines for certificate authorities
	file        string // where a new key would be added
}

// readHostKeys reads known, which is lines of known_hosts or a file of them. Without it, the user's and the system's files
// are read, as far as they are there.
func readHostKeys(known, dir string) (hostKeys, error) {
	var files []string
	k := hostKeys{file: "~/.ssh/known_hosts"}
	switch {
	case strings.ContainsAny(strings.TrimSpace(known), " \n"):
		k.file = "the input knownHosts"
		f, err := os.CreateTemp("", "known_hosts")
		if err != nil {
			return k, fault.Wrap(fault.Unavailable, err, "write the known hosts into a file")
		}
		defer func() { _ = os.Remove(f.Name()) }()
		_, err = f.WriteString(known)
		if err = errors.Join(err, f.Close()); err != nil {
			return k, fault.Wrap(fault.Unavailable, err, "write the known hosts into a file")
		}
		files = []string{f.Name()}
	case known != "":
		path := inDir(strings.TrimSpace(known), dir)
		k.file = path
		if _, err := os.Stat(path); err != nil {
			return k, fault.New(fault.Missing, "input knownHosts: there is no file %.200q", path).
				WithNext("ssh-keyscan HOST > '%s', after you have checked that the key is the host's", path)
		}
		files = []string{path}
	default:
		home, err := os.UserHomeDir()
		if err == nil {
			files = append(files, filepath.Join(home, ".ssh", "known_hosts"))
		}
		files = append(files, "/etc/ssh/ssh_known_hosts")
		files = slices.DeleteFunc(files, func(f string) bool { _, err := os.Stat(f); return err != nil })
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "@cert-authority") {
			k.authorities = true
		}
	}
	callback, err := knownhosts.New(files...)
	if err != nil {
		return k, fault.New(fault.Invalid, "input knownHosts: %s", unpath(err, k.file))
	}
	k.known = callback
	return k, nil
}

// unpath names a temporary file as the input that it came from.
func unpath(err error, file string) string {
	text := strings.TrimPrefix(err.Error(), "knownhosts: ")
	if strings.HasPrefix(text, os.TempDir()) {
		if _, rest, ok := strings.Cut(text, ":"); ok {
			return file + " line " + rest
		}
	}
	return text
}

func inDir(path, dir string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// check refuses a key that is not known, and says how to get to know it.
func (k hostKeys) check(h hop) ssh.HostKeyCallback {
	return func(address string, remote net.Addr, key ssh.PublicKey) error {
		err := k.known(address, remote, key)
		var mismatch *knownhosts.KeyError
		var revoked *knownhosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &revoked):
			return fault.New(fault.Auth, "the key %s that %s shows is revoked", ssh.FingerprintSHA256(key), h.host)
		case errors.As(err, &mismatch) && len(mismatch.Want) == 0:
			return fault.New(fault.Auth, "the key of %s is not known; it shows %s %s", h.host, key.Type(), ssh.FingerprintSHA256(key)).
				WithNext("if that is its key (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub there), add it: ssh-keyscan -p %s %s >> %s", h.port, h.host, k.file)
		case errors.As(err, &mismatch):
			var want []string
			for _, w := range mismatch.Want {
				want = append(want, fmt.Sprintf("%s %s", w.Key.Type(), ssh.FingerprintSHA256(w.Key)))
			}
			return fault.New(fault.Auth, "the key of %s is another one: it shows %s %s, known is %s", h.host, key.Type(), ssh.FingerprintSHA256(key), strings.Join(want, ", ")).
				WithNext("if the host was set up again, replace its line in %s; if it was not, somebody stands between you and it", k.file)
		}
		return fault.New(fault.Auth, "the key of %s cannot be checked: %s", h.host, err)
	}
}

// algorithms are those of the keys that are known for h, so that a host with several keys shows one of them. nil, for an
// unknown host, is the library's own list.
func (k hostKeys) algorithms(h hop) []string {
	err := k.known(h.address(), &net.TCPAddr{IP: net.IPv4zero}, nobody{})
	var known *knownhosts.KeyError
	if !errors.As(err, &known) || len(known.Want) == 0 {
		return nil
	}
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	if k.authorities {
		add(ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01)
	}
	for _, w := range known.Want {
		if w.Key.Type() == ssh.KeyAlgoRSA {
			add(ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		add(w.Key.Type())
	}
	return out
}

// nobody is a key that no host has: asking for it gives the keys that a host does have.
type nobody struct{}

func (nobody) Type() string                        { return "nobody" }
func (nobody) Marshal() []byte                     { return []byte("nobody") }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("nobody signs nothing") }
