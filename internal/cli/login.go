package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

// maxToken bounds what is read as a token.
const maxToken = 64 << 10

// server gives the address of the server that commands ask, and the token for it; "" where they use a data directory.
func (p *process) server() (address, token string, err error) {
	address = p.flags.server
	if address == "" && p.flags.dataDir == "" {
		address = p.Getenv("TEND_SERVER")
	}
	if address == "" {
		return "", "", nil
	}
	if p.flags.server != "" && p.flags.dataDir != "" {
		return "", "", fault.New(fault.Invalid, "--server and --data-dir are two places").WithNext("leave one of them away")
	}
	if token = p.Getenv("TEND_TOKEN"); token != "" {
		return address, token, nil
	}
	known, err := p.credentials()
	return address, known.Servers[trimmed(address)].Token, err
}

// here refuses --server for commands about this machine.
func (p *process) here(c *cobra.Command) error {
	if p.flags.server != "" {
		return fault.New(fault.Invalid, "%s is about this machine, and not about a server elsewhere", c.CommandPath()).WithNext("leave --server away")
	}
	return nil
}

// trimmed is the form in which addresses are remembered.
func trimmed(address string) string { return strings.ToLower(strings.TrimRight(address, "/")) }

// credentials are the tokens of this user, by server.
type credentials struct {
	Servers map[string]credential `json:"servers"`

	file string
}

type credential struct {
	Name  string `json:"name"` // who the server said we are
	Token string `json:"token"`
}

func (p *process) credentials() (credentials, error) {
	c := credentials{Servers: map[string]credential{}}
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
		c.Servers = map[string]credential{}
	}
	return c, fault.Wrap(fault.Invalid, err, "read the tokens in %s", c.file)
}

// save replaces the file as a whole, with a mode that lets nobody else read it.
func (c credentials) save() error {
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

// known tells who a server knows by a token, and gives the token to keep: one that is good once is exchanged.
func known(ctx context.Context, address, token string, once wire.SignOn) (wire.Me, string, error) {
	c, err := client.Dial(address, token, "terminal")
	if err != nil {
		return wire.Me{}, "", err
	}
	defer c.Close()
	me, err := c.API().Me(ctx)
	if !fault.Is(err, fault.Auth) {
		return me, token, err
	}
	made, oerr := c.API().SignOnOnce(ctx, once)
	if fault.Is(oerr, fault.Auth) {
		return me, "", err // it is not one of those either
	}
	if oerr != nil {
		return me, "", oerr
	}
	lasting, err := client.Dial(address, made.Text, "terminal")
	if err != nil {
		return me, "", err
	}
	defer lasting.Close()
	me, err = lasting.API().Me(ctx)
	return me, made.Text, err
}

func (p *process) loginCommand() *cobra.Command {
	var name, why string
	var how signOnFlags
	c := &cobra.Command{
		Use:     "login",
		GroupID: groupServe,
		Short:   "Sign on to a server (--server or TEND_SERVER), and keep the token",
		Long: "Where people sign on to the server by an issuer, a browser is opened there; its answer comes back to this machine, and is exchanged\n" +
			"for a token of yours. The address is shown too. With --no-browser, for a machine without one, it is opened anywhere and\n" +
			"shows a code to type here. Otherwise, or with --token, a token is asked for; without a terminal it is read from standard input.\n\n" +
			"The token is kept for this user (mode 0600, in credentials.json in the XDG configuration directory). TEND_TOKEN goes before it.\n" +
			"A token that is good once (that of a server's first start, or the emergency token) is exchanged for one that lasts.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			address, _, err := p.server()
			if err != nil {
				return err
			}
			if address == "" {
				return fault.New(fault.Invalid, "log in where?").WithNext("tend login --server https://tend.example.org")
			}
			token, err := p.signOn(c.Context(), address, how)
			if err != nil {
				return err
			}
			me, token, err := known(c.Context(), address, token, wire.SignOn{Token: token, Name: name, Why: why})
			if err != nil {
				return err
			}
			all, err := p.credentials()
			if err != nil {
				return err
			}
			all.Servers[trimmed(address)] = credential{Name: me.Name, Token: token}
			if err := all.save(); err != nil {
				return err
			}
			p.talk("%s knows you as %s (%s)", address, terminal.Line(me.Name), terminal.Line(me.ID))
			return nil
		},
	}
	c.Flags().BoolVar(&how.browser, "browser", false, "sign on in a browser, also where no terminal is")
	c.Flags().BoolVar(&how.hands, "no-browser", false, "sign on in a browser of another machine, and type the code that it shows")
	c.Flags().BoolVar(&how.token, "token", false, "ask for a token")
	c.Flags().StringVar(&how.issuer, "issuer", "", "the issuer to sign on by, where there are several")
	c.MarkFlagsMutuallyExclusive("browser", "no-browser", "token")
	c.MarkFlagsMutuallyExclusive("token", "issuer")
	c.Flags().StringVar(&name, "name", "", "who you are, for the emergency token")
	c.Flags().StringVar(&why, "why", "", "the reason, for the emergency token")
	return c
}

// signOnFlags say how somebody signs on.
type signOnFlags struct {
	browser, hands, token bool
	issuer                string
}

// signOn gives a token: by a browser where the server has issuers and somebody sits here or asked for it, else the one that is
// typed.
func (p *process) signOn(ctx context.Context, address string, how signOnFlags) (string, error) {
	wanted := how.browser || how.hands || how.issuer != ""
	if how.token || !wanted && !terminal.IsTerminal(p.In) {
		return p.readToken(address)
	}
	// A code is as good as a token: it does not cross a network in clear.
	c, err := client.Dial(address, "-", "terminal")
	if err != nil {
		return "", err
	}
	c.Close()
	known, err := issuers(ctx, address)
	if err != nil {
		return "", err
	}
	if len(known.Issuers) == 0 && !wanted {
		return p.readToken(address)
	}
	return (&browse{p, address, how.issuer, how.hands}).token(ctx, known)
}

// readToken asks for a token without showing it, or reads the first line where nobody sits.
func (p *process) readToken(address string) (string, error) {
	if f, ok := p.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = fmt.Fprintf(p.Err, "token for %s: ", terminal.Line(address))
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(p.Err)
		if err != nil {
			return "", fault.Wrap(fault.Unavailable, err, "read the token")
		}
		return tokenOf(string(b))
	}
	line, err := bufio.NewReader(io.LimitReader(p.In, maxToken)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fault.Wrap(fault.Unavailable, err, "read the token")
	}
	return tokenOf(line)
}

func tokenOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.New(fault.Invalid, "no token was given").WithNext("paste it, or give it on standard input")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", fault.New(fault.Invalid, "this is not a token: it has characters that none has")
	}
	return text, nil
}

func (p *process) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "logout",
		GroupID: groupServe,
		Short:   "Forget the token for a server",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			address, _, err := p.server()
			if err != nil {
				return err
			}
			if address == "" {
				return fault.New(fault.Invalid, "log out where?").WithNext("tend logout --server https://tend.example.org")
			}
			known, err := p.credentials()
			if err != nil {
				return err
			}
			if _, ok := known.Servers[trimmed(address)]; !ok {
				p.talk("no token is kept for %s", address)
				return nil
			}
			delete(known.Servers, trimmed(address))
			if err := known.save(); err != nil {
				return err
			}
			p.talk("the token for %s is forgotten; it is good until it expires or is revoked there", address)
			return nil
		},
	}
}
