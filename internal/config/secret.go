package config

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/tendhq/tend/internal/secret"
)

// Secrets are looked for in the environment, then in Dir, in the age file, in Vault, and by the program.
type Secrets struct {
	// Dir holds one file for each secret.
	Dir string `yaml:"dir" env:"TEND_SECRETS_DIR" path:"true"`
	// Age is a file encrypted with age.
	Age string `yaml:"age" env:"TEND_SECRETS_AGE" path:"true"`
	// Identity is the key file that opens it.
	Identity string `yaml:"identity" env:"TEND_SECRETS_IDENTITY" path:"true"`
	// Vault is a KV engine (version 2) of HashiCorp Vault or OpenBao. prod/db/password is the field password at prod/db.
	Vault *Vault `yaml:"vault"`
	// Exec is a program that prints a secret: sops, the command line of a cloud, a password manager.
	Exec *SecretProgram `yaml:"exec"`
	// Scopes say which runs may use which secrets. Without any, every run may use every one; with some, a secret that none of them
	// names is for no run. What the server itself needs (keys of sources, tokens of integrations) is not bound by them.
	Scopes []SecretScope `yaml:"scopes"`
}

// Vault says where the engine is, and how to log in.
type Vault struct {
	// Address is https://vault.example.org:8200.
	Address string `yaml:"address"`
	// CA is a file with the certificates of the authorities that its certificate may come from. Default: those of the system.
	CA string `yaml:"ca" path:"true"`
	// Namespace is one of Vault Enterprise or OpenBao.
	Namespace string `yaml:"namespace"`
	// Mount is where the engine is. Default: secret.
	Mount string `yaml:"mount"`
	// Prefix stands before every path.
	Prefix string `yaml:"prefix"`
	// Login is token, approle, jwt or kubernetes. Default: token. A login is renewed while it lasts, and made anew when it is over.
	Login string `yaml:"login"`
	// AuthMount is where the method is mounted. Default: the name of the method.
	AuthMount string `yaml:"authMount"`
	// Role is the role id of approle, the role of jwt and kubernetes.
	Role string `yaml:"role"`
	// Credential names the secret that proves who we are (the token, the secret id, the JWT): of the environment, Dir or the age file.
	Credential string `yaml:"credential"`
	// CredentialFile is a file with it in place of that, read anew at each login. Default for kubernetes: the token of the service
	// account, where Kubernetes puts it.
	CredentialFile string `yaml:"credentialFile" path:"true"`
}

// SecretProgram is a program that prints a secret. It gets PATH, HOME and what Env says, and nothing else.
type SecretProgram struct {
	// Command is the program and its arguments. {name} in them is the name of the secret, {path} the same as sops writes it, {key} its last part.
	Command []string `yaml:"command"`
	// Dir is where it starts.
	Dir string `yaml:"dir" path:"true"`
	// Env are further variables, as NAME=value. No secrets.
	Env []string `yaml:"env"`
	// Missing are exit codes that say that there is no such secret.
	Missing []int `yaml:"missing"`
	// Timeout bounds one call. Default: 10s.
	Timeout Duration `yaml:"timeout"`
}

// SecretScope lets some secrets be used by some runs.
type SecretScope struct {
	// Names are globs of names of secrets.
	Names []string `yaml:"names"`
	// Projects that may use them. None: all.
	Projects []string `yaml:"projects"`
	// Environments that may use them. None: all, and runs of no environment.
	Environments []string `yaml:"environments"`
	// Labels that the playbook must have, all of them. Whoever writes a playbook writes its labels: they narrow, and do not protect
	// from its author.
	Labels map[string]string `yaml:"labels"`
}

// Check implements Checker.
func (s *Secrets) Check(bad Bad) {
	if (s.Age == "") != (s.Identity == "") {
		bad("age", "", "secrets.age and secrets.identity belong together: one of them is missing")
	}
	for i, x := range s.Scopes {
		if len(x.Names) == 0 {
			bad(fmt.Sprintf("scopes[%d]", i), "write names: ['shop/*']", "secrets.scopes[%d] names no secret", i)
		}
	}
	if s.Exec != nil && len(s.Exec.Command) == 0 {
		bad("exec.command", "write command: [sops, decrypt, --extract, '{path}', /etc/tend/secrets.yaml]", "secrets.exec has no command")
	}
	if s.Vault != nil {
		s.Vault.check(bad)
	}
}

func (v *Vault) check(bad Bad) {
	u, err := url.Parse(v.Address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())) {
		bad("vault.address", "write it as https://vault.example.org:8200", "secrets.vault has no address that can be trusted: %q", v.Address)
	}
	methods := []string{"", "token", "approle", "jwt", "kubernetes"}
	if !slices.Contains(methods, v.Login) {
		bad("vault.login", "write token, approle, jwt or kubernetes", "secrets.vault has no login %q", v.Login)
	}
	if v.Login != "" && v.Login != "token" && v.Role == "" {
		bad("vault.role", "the role that was made for tend", "secrets.vault logs in by %s and names no role", v.Login)
	}
	switch {
	case v.Credential != "" && v.CredentialFile != "":
		bad("vault.credentialFile", "leave one of them away", "secrets.vault has two credentials")
	case v.Credential == "" && v.CredentialFile == "" && v.Login != "kubernetes":
		bad("vault.credential", "name a secret of the environment, a file or the age file, or set credentialFile", "secrets.vault has no credential")
	}
}

// Scoped gives the scopes.
func (s *Secrets) Scoped() secret.Scopes {
	var out secret.Scopes
	for _, x := range s.Scopes {
		out = append(out, secret.Scope{Names: x.Names, Projects: x.Projects, Environments: x.Environments, Labels: x.Labels})
	}
	return out
}
