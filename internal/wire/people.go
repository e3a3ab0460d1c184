package wire

import (
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/entry"
)

// SignOn is a token that is good for one sign-on.
type SignOn struct {
	Name  string `json:"name,omitempty" doc:"Of the person: the emergency token needs it." maxLength:"200"`
	Token string `json:"token" maxLength:"1000"`
	Why   string `json:"why,omitempty" doc:"The reason: the emergency token needs it." maxLength:"1000"`
}

// SignOnCode is what a program got for somebody who signed on in a browser.
type SignOnCode struct {
	Code     string `json:"code" maxLength:"200"`
	Verifier string `json:"verifier" doc:"Of the challenge that the browser was sent with (PKCE, S256)." maxLength:"128"`
}

// Issuers are those that people can sign on by in a browser, and where a browser finds the server.
type Issuers struct {
	Issuers []string `json:"issuers"`
	URL     string   `json:"url,omitempty"`
}

// Token is what is known of a token: everything but the token itself.
type Token struct {
	Expires time.Time     `json:"expires"`
	ID      string        `json:"id"`
	Kind    string        `json:"kind" doc:"personal, service, session, emergency or setup."`
	Made    time.Time     `json:"made"`
	MadeBy  entry.Who     `json:"madeBy"`
	Name    string        `json:"name" doc:"What it is for."`
	Owner   string        `json:"owner" doc:"Who it stands for."`
	Revoked time.Time     `json:"revoked,omitzero"`
	Scope   *access.Scope `json:"scope,omitempty" doc:"Its bounds, where it may do less than its owner."`
}

// Tokens is a list of tokens.
type Tokens struct {
	Tokens []Token `json:"tokens"`
}

// MakeToken asks for a token.
type MakeToken struct {
	For   string        `json:"for" doc:"How long it is good, as 720h: a personal one up to 90 days, a service's up to a year."`
	Kind  string        `json:"kind" enum:"personal,service"`
	Name  string        `json:"name" doc:"What it is for; of a service token the name of the service." maxLength:"200"`
	Scope *access.Scope `json:"scope,omitempty" doc:"Bounds: it may do less than its owner."`
}

// Made is a token that was made just now.
type Made struct {
	Text  string `json:"text" doc:"The token. It is not kept, and cannot be shown again."`
	Token Token  `json:"token"`
}

// Bindings is a list of bindings.
type Bindings struct {
	Bindings []access.Binding `json:"bindings"`
}

// Bind gives a role to some principals, or denies it to them.
type Bind struct {
	Deny     bool              `json:"deny,omitempty" doc:"Take away what the role may, whoever gives it."`
	Labels   map[string]string `json:"labels,omitempty" doc:"Of the object: all must match."`
	Projects []string          `json:"projects,omitempty" doc:"None: all."`
	Role     string            `json:"role" enum:"viewer,breaker,operator,author,approver,admin"`
	Subjects []string          `json:"subjects" doc:"user:alice@example.org, user:*@example.org, group:sre, token:ci, or * for everybody who signed on."`
}

// Sealed is the emergency token.
type Sealed struct {
	Text string `json:"text" doc:"The token. It is not kept, and cannot be shown again."`
}
