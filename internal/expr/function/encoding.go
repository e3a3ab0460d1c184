package function

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

func encodingFunctions() []Function {
	return group(groupConvert,
		Function{Usage: "b64enc TEXT", Doc: "In base64.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(base64.StdEncoding.EncodeToString([]byte(a.text(0)))) }},
		Function{Usage: "b64dec TEXT", Doc: "The text that base64 holds. Bytes that are no text are an error.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.decoded(base64.StdEncoding.DecodeString, "base64") }},
		Function{Usage: "b32enc TEXT", Doc: "In base32.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(base32.StdEncoding.EncodeToString([]byte(a.text(0)))) }},
		Function{Usage: "b32dec TEXT", Doc: "The text that base32 holds.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.decoded(base32.StdEncoding.DecodeString, "base32") }},
		Function{Usage: "hex TEXT", Doc: "In hexadecimal.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(hex.EncodeToString([]byte(a.text(0)))) }},
		Function{Usage: "unhex TEXT", Doc: "The text that hexadecimal holds.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.decoded(hex.DecodeString, "hexadecimal") }},
		Function{Usage: "sha1sum TEXT", Doc: "The SHA-1 sum, in hexadecimal.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.sum(func(b []byte) []byte { s := sha1.Sum(b); return s[:] }) }},
		Function{Usage: "sha256sum TEXT", Doc: "The SHA-256 sum, in hexadecimal.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.sum(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }) }},
		Function{Usage: "html VALUE...", Doc: "Escaped for HTML.", Max: -1, Secret: true, body: func(a *Args) any { return a.escaped(html.EscapeString) }},
		Function{Usage: "htmlescape VALUE...", Doc: "The same as html.", Max: -1, Secret: true, body: func(a *Args) any { return a.escaped(html.EscapeString) }},
		Function{Usage: "urlquery VALUE...", Doc: "Escaped for the query of a URL.", Max: -1, Secret: true, body: func(a *Args) any { return a.escaped(url.QueryEscape) }},
		Function{Usage: "urlParse TEXT", Doc: "A map of scheme, host, hostname, path, query, fragment, opaque and userinfo.", Min: 1, Max: 1, body: urlParse},
		Function{Usage: "urlJoin MAP", Doc: "The URL of such a map.", Min: 1, Max: 1, body: urlJoin},
		Function{Usage: "base PATH", Doc: "The last element of a path with slashes.", Min: 1, Max: 1, body: func(a *Args) any { return path.Base(a.text(0)) }},
		Function{Usage: "dir PATH", Doc: "All but the last element of a path.", Min: 1, Max: 1, body: func(a *Args) any { return path.Dir(a.text(0)) }},
		Function{Usage: "clean PATH", Doc: "The shortest path that means the same.", Min: 1, Max: 1, body: func(a *Args) any { return path.Clean(a.text(0)) }},
		Function{Usage: "ext PATH", Doc: "The ending of the last element, with its dot.", Min: 1, Max: 1, body: func(a *Args) any { return path.Ext(a.text(0)) }},
		Function{Usage: "isAbs PATH", Doc: "True if the path begins with a slash.", Min: 1, Max: 1, body: func(a *Args) any { return path.IsAbs(a.text(0)) }},
	)
}

func (a *Args) decoded(decode func(string) ([]byte, error), name string) any {
	s := a.text(0)
	b, err := decode(s)
	switch {
	case a.failed():
		return nil
	case err != nil:
		return a.fail("%s is no %s", excerpt(s), name)
	case !utf8.Valid(b):
		return a.fail("the %s holds bytes that are no text", name)
	}
	return a.made(string(b))
}

func (a *Args) sum(sum func([]byte) []byte) any {
	s := a.text(0)
	if !a.try(a.Budget.Spend(len(s) * 4)) {
		return nil
	}
	return hex.EncodeToString(sum([]byte(s)))
}

// escaped prints the values like print does, and escapes the whole.
func (a *Args) escaped(escape func(string) string) any {
	s, _ := printAll(a).(string)
	return a.made(escape(s))
}

func urlParse(a *Args) any {
	s := a.text(0)
	u, err := url.Parse(s)
	if err != nil {
		return a.fail("%s is no URL", excerpt(s))
	}
	return map[string]any{
		"scheme": u.Scheme, "host": u.Host, "hostname": u.Hostname(), "path": u.Path, "query": u.RawQuery,
		"fragment": u.Fragment, "opaque": u.Opaque, "userinfo": u.User.String(),
	}
}

func urlJoin(a *Args) any {
	m := a.dict(0)
	part := func(key string) string {
		v, ok := m[key]
		if !ok {
			return ""
		}
		s, ok := v.(string)
		if !ok {
			a.fail("%q is not text", key)
		}
		return s
	}
	u := url.URL{
		Scheme: part("scheme"), Host: part("host"), Path: part("path"), RawQuery: part("query"),
		Fragment: part("fragment"), Opaque: part("opaque"),
	}
	if info := part("userinfo"); info != "" {
		with, err := url.Parse("proto://" + info + "@host")
		if err != nil || strings.ContainsAny(info, "/?#") {
			return a.fail("the userinfo is none")
		}
		u.User = with.User
	}
	return a.made(fmt.Sprint(&u))
}
