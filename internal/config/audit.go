package config

import (
	"net"
	"net/url"
	"strings"
)

// Audit says where the audit trail is shipped to, besides being kept. Every target gets all of it, in order, and what it
// missed while it or the server was down.
type Audit struct {
	// File gets a line of JSON for each entry. It is opened again when it was moved away.
	File string `yaml:"file" env:"TEND_AUDIT_FILE" path:"true"`
	// Syslog is a server that gets the same lines (RFC 5424): tls://host:port, tcp://host:port, udp://host:port or unix:///path.
	Syslog string `yaml:"syslog" env:"TEND_AUDIT_SYSLOG"`
	// OTLP is a collector of OpenTelemetry logs that gets them.
	OTLP OTLP `yaml:"otlp"`
}

// OTLP is a collector, by OTLP over HTTP.
type OTLP struct {
	// URL takes logs, as https://collector:4318/v1/logs.
	URL string `yaml:"url" env:"TEND_AUDIT_OTLP_URL"`
	// Token is the name of the secret that is sent as a bearer token.
	Token string `yaml:"token" env:"TEND_AUDIT_OTLP_TOKEN"`
}

// Check implements Checker.
func (a *Audit) Check(bad Bad) {
	if a.Syslog == "" {
		return
	}
	u, err := url.Parse(a.Syslog)
	fits := err == nil && u.User == nil && u.RawQuery == ""
	if fits && u.Scheme == "unix" {
		fits = u.Host == "" && strings.HasPrefix(u.Path, "/")
	} else if fits {
		_, _, err := net.SplitHostPort(u.Host)
		fits = err == nil && (u.Scheme == "tcp" || u.Scheme == "tls" || u.Scheme == "udp")
	}
	if !fits {
		bad("syslog", "write it as tls://logs.example.org:6514, tcp://…, udp://… or unix:///dev/log", "audit.syslog %q is no address of a syslog server", a.Syslog)
	}
}

// Check implements Checker.
func (o *OTLP) Check(bad Bad) {
	if o.URL == "" {
		if o.Token != "" {
			bad("token", "", "audit.otlp has a token and no url")
		}
		return
	}
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil:
		bad("url", "write it as https://collector.example.org:4318/v1/logs", "audit.otlp.url %q is not the address of a collector", o.URL)
	case u.Scheme == "http" && o.Token != "" && !Loopback(u.Hostname()):
		bad("url", "use https", "audit.otlp.url speaks no TLS: the token could be read on the way")
	}
}
