package lint

import (
	"regexp"
	"strings"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
)

// habit is a way in which people write a secret into a command. The last group of the expression is the secret; marks are
// as those of a shape.
type habit struct {
	what  string
	marks []string
	regex *regexp.Regexp
}

// bare is a word of a shell that is not rendered by it: no variable, no substitution. After an opening quote it may hold
// spaces, but such secrets are rare, and what follows a secret must not be taken for a part of it.
const bare = "([^\\s\"'$`\\\\;|&<>(){}]{4,})"

// habits are those of shells: the arguments of programs, and the assignments before them. A line that goes on after a
// backslash is one line.
var habits = []habit{
	{"a password for curl", []string{"curl"}, regexp.MustCompile(`\bcurl\b(?:[^\n;|&]|\\\n)*?\s(?:-[A-Za-z]*[uU]|--user|--proxy-user)(?:\s*=?\s*)["']?[^\s:"'$]*:` + bare)},
	{"a password for wget", []string{"wget"}, regexp.MustCompile(`\bwget\b(?:[^\n;|&]|\\\n)*?\s--(?:http-|ftp-|proxy-)?password[= ]["']?` + bare)},
	{"a password for mysql", []string{"mysql", "mariadb"}, regexp.MustCompile(`\b(?:mysql|mariadb)[a-z-]*\b(?:[^\n;|&]|\\\n)*?\s-p["']?` + bare)},
	{"a password for sshpass", []string{"sshpass"}, regexp.MustCompile(`\bsshpass\s+-p\s*["']?` + bare)},
	{"a password for redis-cli", []string{"redis-cli"}, regexp.MustCompile(`\bredis-cli\b(?:[^\n;|&]|\\\n)*?\s(?:-a|--pass)[= ]\s*["']?` + bare)},
	{"the header `Authorization`", []string{"uthorization"}, regexp.MustCompile(`(?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|token|apikey|digest|negotiate|splunk|genie-?key)\b(?:[ :]|\s*token=)\s*)?` + bare)},
	{"a header with a key", []string{"-H", "--header"}, regexp.MustCompile(`(?i)(?:-H|--header)[= ]?\s*["']?[a-z0-9-]*(?:api-?key|token|secret|password|access-?key)\s*:\s*` + bare)},
	{"the value of an option", []string{"--"}, regexp.MustCompile(`(?:^|\s)--?(?:[a-z0-9]+-)*(?:password|passwd|passphrase|token|client-secret|api-?key|secret-?key|access-?key)[= ]["']?` + bare)},
}

// assignment is one of a shell. A name in small letters may be one of another language, where only a quoted text is a
// value.
var assignment = regexp.MustCompile("(?m)(?:^|[\\s;&|(])([A-Z_][A-Z0-9_]*)=[\"']?" + bare + "|^[ \\t]*(?:export[ \\t]+|local[ \\t]+)?([A-Za-z_][A-Za-z0-9_]*)=[\"']" + bare)

// schemes are words before what authorizes: not a secret themselves, when a variable follows.
var schemes = []string{"basic", "bearer", "token", "apikey", "digest", "negotiate", "splunk", "geniekey", "genie-key"}

const byEnv = "give it by `env: {NAME: '{{ secret \"NAME\" }}'}`, write \"$NAME\" here, and replace the value: it is in the history now"

// commands looks into a script, or the arguments of a program, for secrets that are written there.
func (c *checker) commands(d *document.Data) {
	if len(d.List) > 0 {
		c.arguments(d.List)
		return
	}
	for s := range d.Scalars() {
		if text, ok := writtenText(s); ok {
			c.command(s, byEnv, text)
		}
	}
}

// arguments looks at each word by itself, and at the one after it as a shell's line would have it.
func (c *checker) arguments(list []document.Data) {
	program := ""
	for i := range list {
		s := list[i].Scalar
		if s == nil {
			continue
		}
		text, ok := writtenText(s)
		if !ok {
			continue
		}
		if i == 0 {
			program = text[strings.LastIndexByte(text, '/')+1:]
		}
		if c.command(s, "", text) || i == 0 || list[i-1].Scalar == nil {
			continue
		}
		before, _ := writtenText(list[i-1].Scalar)
		for _, line := range []string{before + " " + text, program + " " + before + " " + text} {
			if w, ok := wordOf(line, len(line)-len(text)); ok {
				c.written(s, "", w.what, text, w.from-(len(line)-len(text)), w.to-(len(line)-len(text)))
				break
			}
		}
	}
}

// writtenText is the text of a scalar as it stands: scripts are verbatim, so that {{ in them says nothing.
func writtenText(s *document.Scalar) (string, bool) {
	if s.Kind == expr.Template {
		return s.Source, true
	}
	text, ok := s.Lit.(string)
	return text, ok
}

// command looks into one text.
func (c *checker) command(s *document.Scalar, remedy, text string) bool {
	found := false
	seen := map[int]bool{}
	for at := 0; at < len(text); {
		w, ok := wordOf(text, at)
		if !ok {
			break
		}
		if !seen[w.from] {
			seen[w.from] = true
			c.written(s, remedy, w.what, text, w.from, w.to)
			found = true
		}
		at = w.to
	}
	return found
}

// written reports a secret in a text. Only a shell reads variables.
func (c *checker) written(s *document.Scalar, remedy, what, text string, from, to int) {
	c.leaks = append(c.leaks, leak{text[from:to]})
	p := c.file.PlaceIn(s.Node, from)
	if p.EndColumn == 0 && p.Line > 0 {
		p.EndColumn = p.Column + len([]rune(text[from:to]))
	}
	c.find(ruleLiteral, p, remedy, "%s stands in the document", what)
}

// word is a secret in a text.
type word struct {
	what     string
	from, to int
}

// wordOf finds the first secret that ends after at.
func wordOf(text string, at int) (word, bool) {
	best := word{from: len(text) + 1}
	take := func(what string, from, to int) {
		if from >= 0 && to > at && from < best.from && !harmless(text[from:to]) {
			best = word{what, from, to}
		}
	}
	for _, h := range habits {
		if !mentions(text, h.marks) {
			continue
		}
		for _, m := range h.regex.FindAllStringSubmatchIndex(text, 50) {
			take(h.what, m[len(m)-2], m[len(m)-1])
		}
	}
	for _, m := range assignment.FindAllStringSubmatchIndex(text, 200) {
		for g := 2; g < len(m); g += 4 {
			if m[g] >= 0 && secretish(text[m[g]:m[g+1]]) {
				take("the value of `"+text[m[g]:m[g+1]]+"`", m[g+2], m[g+3])
			}
		}
	}
	return best, best.from <= len(text)
}

func mentions(text string, marks []string) bool {
	for _, m := range marks {
		if strings.Contains(text, m) {
			return true
		}
	}
	return false
}

// harmless tells what stands where a secret would, and is none: a placeholder, a file, an address, another option, a call.
func harmless(s string) bool {
	low := strings.ToLower(s)
	for _, scheme := range schemes {
		if low == scheme {
			return true
		}
	}
	return placeholder(s) || strings.ContainsAny(s[:1], "/.~-@%#*[") || strings.Contains(s, "://") || strings.HasPrefix(low, "env:") ||
		strings.HasPrefix(low, "file:") || strings.HasPrefix(low, "pass:") && len(s) == 5
}
