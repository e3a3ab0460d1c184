package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
)

// login is who we are.
type login struct {
	methods []ssh.AuthMethod
	shown   string // which keys there are, for messages
	conn    net.Conn
}

func (l *login) close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// login reads the keys. What is wrong with them is said without quoting from them.
func (in inputs) login(ctx context.Context, dir string) (*login, error) {
	l := &login{}
	var signers []ssh.Signer
	var shown []string
	text, from, err := in.key(ctx, dir)
	if err != nil {
		return nil, err
	}
	if text != "" {
		s, err := parseKey(text, in.Passphrase.Reveal(), from)
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
		shown = append(shown, from+" "+ssh.FingerprintSHA256(s.PublicKey()))
	}
	useAgent := text == ""
	if in.Agent != nil {
		useAgent = *in.Agent
	}
	if !useAgent && text == "" {
		return nil, fault.New(fault.Invalid, "inputs privateKey, keyFile and agent: with which key?")
	}
	var more func() ([]ssh.Signer, error)
	if useAgent {
		socket := os.Getenv("SSH_AUTH_SOCK")
		if socket == "" {
			return nil, fault.New(fault.Missing, "there is no private key, and no agent: SSH_AUTH_SOCK is not set").
				WithNext("give privateKey or keyFile, or start an agent: eval $(ssh-agent) && ssh-add")
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, fault.New(fault.Missing, "no agent answers at SSH_AUTH_SOCK").WithNext("eval $(ssh-agent) && ssh-add")
		}
		l.conn = conn
		more = agent.NewClient(conn).Signers
		shown = append(shown, "those of the agent")
	}
	l.shown = strings.Join(shown, ", ")
	// One method for all keys: the library tries each kind of method once.
	l.methods = []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
		if more == nil {
			return signers, nil
		}
		others, err := more()
		if err != nil && len(signers) == 0 {
			return nil, err
		}
		return append(signers[:len(signers):len(signers)], others...), nil
	})}
	return l, nil
}

// key gives the text of the private key and how to call it.
func (in inputs) key(ctx context.Context, dir string) (text, from string, err error) {
	switch {
	case !in.PrivateKey.Empty() && in.KeyFile != "":
		return "", "", fault.New(fault.Invalid, "inputs privateKey and keyFile: give one of them")
	case !in.PrivateKey.Empty():
		return in.PrivateKey.Reveal(), "privateKey", nil
	case in.KeyFile != "":
		path := inDir(in.KeyFile, dir)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return "", "", fault.New(fault.Missing, "input keyFile: there is no file %.200q", path)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return "", "", fault.New(fault.Refused, "input keyFile: others than its owner can use %.200q (mode %#o)", path, info.Mode().Perm()).
				WithNext("chmod 600 '%s'", path)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", "", fault.New(fault.Refused, "input keyFile: %.200q cannot be read", path)
		}
		return string(b), "keyFile", nil
	case in.AWSSecret != "":
		return in.awsKey(ctx)
	}
	return "", "", nil
}

// awsKey has the aws program read the key, with the credentials of tend's own environment.
func (in inputs) awsKey(ctx context.Context) (text, from string, err error) {
	program, err := exec.LookPath("aws")
	if err != nil {
		return "", "", fault.New(fault.Missing, "input awsSecret: the aws program is not there to read it").WithNext("install the AWS CLI, or give privateKey")
	}
	args := []string{"secretsmanager", "get-secret-value", "--secret-id=" + in.AWSSecret, "--query", "SecretString", "--output", "text"}
	if in.AWSRegion != "" {
		args = append(args, "--region="+in.AWSRegion)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return "", "", fault.New(fault.Missing, "input awsSecret: aws could not read it: %.300s", strings.TrimSpace(action.Clean(problem.String())))
	}
	return out.String(), "awsSecret", nil
}

func parseKey(text, passphrase, from string) (ssh.Signer, error) {
	// Keys that went through a variable or a form often have their line breaks written out, or lost the last one.
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	text = strings.TrimSpace(text) + "\n"
	var s ssh.Signer
	var err error
	if passphrase == "" {
		s, err = ssh.ParsePrivateKey([]byte(text))
	} else {
		s, err = ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(passphrase))
	}
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &locked):
		return nil, fault.New(fault.Auth, "input %s: the key is protected by a passphrase", from).WithNext("give passphrase")
	case passphrase != "" && strings.Contains(fmt.Sprint(err), "incorrect"):
		return nil, fault.New(fault.Auth, "input passphrase: it does not open the key")
	}
	// The library's words stay out: they may quote from the key.
	return nil, fault.New(fault.Invalid, "input %s: it is not a private key in OpenSSH or PEM form", from)
}
