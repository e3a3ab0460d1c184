package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/secret/age"
	"github.com/tendhq/tend/internal/secret/env"
	"github.com/tendhq/tend/internal/secret/exec"
	"github.com/tendhq/tend/internal/secret/file"
	"github.com/tendhq/tend/internal/secret/vault"
)

// Providers gives the providers of secrets, in the order in which they are asked.
func Providers(c *config.Config) (secret.Chain, error) {
	chain := secret.Chain{env.New(os.LookupEnv, now())}
	if c.Secrets.Dir != "" {
		p, err := file.Open(c.Secrets.Dir)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	if c.Secrets.Age != "" {
		p, err := age.Open(c.Secrets.Age, c.Secrets.Identity)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	if v := c.Secrets.Vault; v != nil {
		p, err := openVault(v, chain)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	if x := c.Secrets.Exec; x != nil {
		p, err := exec.New(exec.Config{
			Command: x.Command, Dir: x.Dir, Missing: x.Missing, Timeout: time.Duration(x.Timeout),
			Env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, x.Env...),
		})
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	return chain, nil
}

// accountToken is where Kubernetes puts the token of a pod's service account.
const accountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a path

// maxCredential bounds a file with a credential.
const maxCredential = 64 << 10

// openVault makes the provider of a Vault. It proves who it is by a secret of the providers before it, or by a file.
func openVault(v *config.Vault, before secret.Chain) (*vault.Provider, error) {
	c := vault.Config{
		Address: v.Address, Namespace: v.Namespace, Mount: v.Mount, Prefix: v.Prefix, Method: vault.Method(v.Login), AuthMount: v.AuthMount, Role: v.Role,
	}
	if v.CA != "" {
		pem, err := os.ReadFile(v.CA)
		if err != nil {
			return nil, fault.Wrap(fault.Missing, err, "read the authorities of Vault")
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "%s has no certificate", v.CA).WithNext("write certificates in PEM")
		}
		t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute}
		c.Client = &http.Client{Timeout: 10 * time.Second, Transport: t}
	}
	if v.Credential != "" {
		c.Credential = func() (secret.Value, error) {
			f, err := before.Find(context.Background(), v.Credential)
			return f.Value, err
		}
		return vault.New(c)
	}
	name := v.CredentialFile
	if v.Login == string(vault.Kubernetes) {
		name = cmp.Or(name, accountToken)
	}
	c.Credential = func() (secret.Value, error) {
		info, err := os.Stat(name)
		if err == nil && info.Size() > maxCredential {
			err = fault.New(fault.Limit, "%s is larger than %d bytes", name, maxCredential)
		}
		var b []byte
		if err == nil {
			b, err = os.ReadFile(name)
		}
		if err != nil {
			return secret.Value{}, fault.Wrap(fault.Missing, err, "read the credential for Vault")
		}
		return secret.New(strings.TrimSpace(string(b))), nil
	}
	return vault.New(c)
}
