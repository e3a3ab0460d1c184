package people

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/wire"
)

// maxToken bounds what is read as a token.
const maxToken = 64 << 10

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

func (p commands) loginCommand() *cobra.Command {
	var name, why string
	var how signOnFlags
	c := &cobra.Command{
		Use:     "login",
		GroupID: frame.GroupServe,
		Short:   "Sign on to a server (--server or TEND_SERVER), and keep the token",
		Long: "Where people sign on to the server by an issuer, a browser is opened there; its answer comes back to this machine, and is exchanged\n" +
			"for a token of yours. The address is shown too. With --no-browser, for a machine without one, it is opened anywhere and\n" +
			"shows a code to type here. Otherwise, or with --token, a token is asked for; without a terminal it is read from standard input.\n\n" +
			"The token is kept for this user (mode 0600, in credentials.json in the XDG configuration directory). TEND_TOKEN goes before it.\n" +
			"A token that is good once (that of a server's first start, or the emergency token) is exchanged for one that lasts.",
		Args: frame.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			address, _, err := p.Server()
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
			all, err := p.Credentials()
			if err != nil {
				return err
			}
			all.Servers[frame.Trimmed(address)] = frame.Credential{Name: me.Name, Token: token}
			if err := all.Save(); err != nil {
				return err
			}
			p.Talk("%s knows you as %s (%s)", address, terminal.Line(me.Name), terminal.Line(me.ID))
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
func (p commands) signOn(ctx context.Context, address string, how signOnFlags) (string, error) {
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
	return (&browse{p.Process, address, how.issuer, how.hands}).token(ctx, known)
}

// readToken asks for a token without showing it, or reads the first line where nobody sits.
func (p commands) readToken(address string) (string, error) {
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

func (p commands) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "logout",
		GroupID: frame.GroupServe,
		Short:   "Forget the token for a server",
		Args:    frame.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			address, _, err := p.Server()
			if err != nil {
				return err
			}
			if address == "" {
				return fault.New(fault.Invalid, "log out where?").WithNext("tend logout --server https://tend.example.org")
			}
			known, err := p.Credentials()
			if err != nil {
				return err
			}
			if _, ok := known.Servers[frame.Trimmed(address)]; !ok {
				p.Talk("no token is kept for %s", address)
				return nil
			}
			delete(known.Servers, frame.Trimmed(address))
			if err := known.Save(); err != nil {
				return err
			}
			p.Talk("the token for %s is forgotten; it is good until it expires or is revoked there", address)
			return nil
		},
	}
}
