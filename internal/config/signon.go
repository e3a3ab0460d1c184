package config

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/tendhq/tend/internal/access"
)

// SignOn says who can sign on.
type SignOn struct {
	// Issuers are the identity providers whose word is taken (OpenID Connect): Entra, Okta, Keycloak, Google, a CI system.
	Issuers []Issuer `yaml:"issuers"`
	// Session is how long somebody stays signed on in a browser without using it.
	Session Duration `yaml:"session"`
	// Longest is how long a session lasts at all.
	Longest Duration `yaml:"longest"`
}

// Issuer is an identity provider.
type Issuer struct {
	// Name is what people call it: one word.
	Name string `yaml:"name"`
	// URL is its address, as its tokens name it.
	URL string `yaml:"url"`
	// ClientID is what it knows this server by; without one it signs nobody on in a browser. The redirect address to register
	// is `url` of the server with /auth/callback.
	ClientID string `yaml:"clientID"`
	// ClientSecret names the secret that goes with it, for providers that want one beside PKCE.
	ClientSecret string `yaml:"clientSecret"`
	// Scopes are asked for. Default: openid, profile, email.
	Scopes []string `yaml:"scopes"`
	// Audiences are what its bearer tokens must be made for, beside the client id. Without any, no bearer token is taken.
	Audiences []string `yaml:"audiences"`
	// Claims name the parts of its tokens.
	Claims Claims `yaml:"claims"`
	// Domains are the mail domains that may sign on. Without any: all that it knows.
	Domains []string `yaml:"domains"`
	// Workload says that its tokens stand for machines (workload:NAME/SUBJECT), as those of CI systems do.
	Workload bool `yaml:"workload"`
}

// Claims name the parts of a token.
type Claims struct {
	// ID is the claim that names somebody for good. Default: email.
	ID string `yaml:"id"`
	// Name is the claim with the name for people. Default: name.
	Name string `yaml:"name"`
	// Groups is the claim with the groups. Default: groups.
	Groups string `yaml:"groups"`
}

// Binding gives a role to some.
type Binding struct {
	// Name is for people and the audit.
	Name string `yaml:"name"`
	// Subjects are user:alice@example.org, user:*@example.org, group:sre, token:ci, workload:…, or * for everybody who signed on.
	Subjects []string `yaml:"subjects"`
	// Role is viewer, breaker, operator, author, approver or admin.
	Role string `yaml:"role"`
	// Projects bound it. None: all.
	Projects []string `yaml:"projects"`
	// Labels of an object bound it: all must match.
	Labels map[string]string `yaml:"labels"`
	// Deny takes away what the role may, whoever gives it.
	Deny bool `yaml:"deny"`
}

// Policy is who has which roles, as the configuration says.
func (s *Server) Policy() access.Policy {
	var p access.Policy
	for _, b := range s.Access {
		p.Bindings = append(p.Bindings, access.Binding{
			Name: b.Name, Subjects: b.Subjects, Role: access.Role(b.Role), Projects: b.Projects, Labels: b.Labels, Deny: b.Deny,
		})
	}
	return p
}

func (s *Server) checkAccess(bad Bad) {
	for _, text := range s.Policy().Problems() {
		bad("access", "", "access: %s", text)
	}
	var names []string
	for i, b := range s.Access {
		if b.Name != "" && slices.Contains(names, b.Name) {
			bad(fmt.Sprintf("access[%d].name", i), "choose another name", "access: %q is there twice", b.Name)
		}
		names = append(names, b.Name)
	}
	names = nil
	for i, x := range s.SignOn.Issuers {
		at := fmt.Sprintf("signOn.issuers[%d]", i)
		u, err := url.Parse(x.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !Loopback(u.Hostname())) {
			bad(at+".url", "write it as https://login.example.org", "signOn: the issuer %q has no address that can be trusted: %q", x.Name, x.URL)
		}
		if slices.Contains(names, x.Name) {
			bad(at+".name", "choose another name", "signOn: the issuer %q is there twice", x.Name)
		}
		names = append(names, x.Name)
		if x.ClientID == "" && len(x.Audiences) == 0 {
			bad(at, "give clientID for people, audiences for bearer tokens", "signOn: nothing of the issuer %q would be taken", x.Name)
		}
		if x.ClientID != "" && !x.Workload && s.URL == "" {
			bad(at+".clientID", "set url: https://tend.example.org", "signOn: people sign on by the issuer %q, and the server does not know its own address", x.Name)
		}
	}
}

// SignsOn tells whether people and services can sign on with an identity of theirs.
func (s *Server) SignsOn() bool { return len(s.SignOn.Issuers) > 0 }
