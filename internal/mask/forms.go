package mask

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/secret"
)

// forms gives the patterns of one secret, or none when it is too short to be masked.
func forms(text string) []pattern {
	text = strings.Trim(text, " \t\r\n")
	if len(text) < secret.MinLength {
		return nil
	}
	ps := []pattern{{text: text, percent: true}}
	exact := func(form string) {
		if form != text {
			ps = append(ps, pattern{text: form})
		}
	}
	if strings.ContainsAny(text, "%+") {
		// Percent decoding could read the secret's own signs as an encoding.
		ps = append(ps, pattern{text: text})
	}
	for align := range 3 {
		ps = append(ps, base64At(text, align, base64.RawStdEncoding), base64At(text, align, base64.RawURLEncoding))
	}
	ps = append(ps, pattern{text: hex.EncodeToString([]byte(text)), fold: true})

	for _, quoted := range []string{jsonText(text, true), jsonText(text, false)} {
		exact(quoted)
		exact(strings.ReplaceAll(quoted, "/", `\/`))
		exact(jsonText(quoted, false))
	}
	browser := htmlAngles(jsonText(text, false)) // as Go does
	exact(browser)
	exact(jsonText(browser, false))
	exact(html.EscapeString(text))
	exact(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(text))
	exact(strings.ReplaceAll(text, "'", `'\''`))
	exact(strings.ReplaceAll(text, "'", `'"'"'`))
	exact(backslashed(text))

	if strings.ContainsAny(text, "\r\n") {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); len(line) >= secret.MinLength {
				ps = append(ps, pattern{text: line, percent: true})
			}
		}
	}
	return ps
}

// base64At gives the digits that depend on the secret alone when it begins align bytes after a group of three began.
// The digit after them holds the secret's last bits: the matcher takes it too.
func base64At(text string, align int, enc *base64.Encoding) pattern {
	digits := enc.EncodeToString(append(make([]byte, align), text...))
	var (
		bits = 8 * (align + len(text))
		from = (8*align + 5) / 6
		to   = bits / 6
	)
	return pattern{text: digits[from:to], percent: true, base64: true, rest: bits%6 != 0}
}

// jsonText gives text as it stands inside a JSON string. With ascii everything else is escaped as \uXXXX, as Python and
// PHP do by default.
func jsonText(text string, ascii bool) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == utf8.RuneError && n == 1:
			b.WriteByte(text[i])
		case ascii && r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		case ascii && r > 0x7e:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// htmlAngles escapes what Go's encoder escapes for the sake of browsers.
func htmlAngles(quoted string) string {
	return strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(quoted)
}

// backslashed quotes text as `printf %q` of a shell does.
func backslashed(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if strings.IndexByte(" !\"#$&'()*,;<>?[\\]^`{|}~", c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
