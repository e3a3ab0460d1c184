package function

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func textFunctions() []Function {
	return group(groupText,
		Function{Usage: "print VALUE...", Doc: "The values as text, with a space between two that are not text.", Max: -1, Secret: true, body: printAll},
		Function{Usage: "println VALUE...", Doc: "The values as text with spaces between, and a line break.", Max: -1, Secret: true, body: println},
		Function{Usage: "printf FORMAT VALUE...", Doc: "Go's formatting: %s %v %d %.2f %q %05d %x …", Min: 1, Max: -1, Secret: true, body: printf},
		Function{Usage: "cat VALUE...", Doc: "The values as text with spaces between; null is left out.", Max: -1, Secret: true, body: cat},
		Function{Usage: "trim TEXT", Doc: "Without white space around it.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return strings.TrimSpace(a.text(0)) }},
		Function{Usage: "trimAll CHARS TEXT", Doc: "Without any of CHARS around it.", Min: 2, Max: 2, Secret: true, body: func(a *Args) any { return strings.Trim(a.text(1), a.text(0)) }},
		Function{Usage: "trimPrefix PREFIX TEXT", Doc: "Without PREFIX, if it begins so.", Min: 2, Max: 2, Secret: true, body: func(a *Args) any { return strings.TrimPrefix(a.text(1), a.text(0)) }},
		Function{Usage: "trimSuffix SUFFIX TEXT", Doc: "Without SUFFIX, if it ends so.", Min: 2, Max: 2, Secret: true, body: func(a *Args) any { return strings.TrimSuffix(a.text(1), a.text(0)) }},
		Function{Usage: "nospace TEXT", Doc: "Without any white space.", Min: 1, Max: 1, Secret: true, body: nospace},
		Function{Usage: "upper TEXT", Doc: "In upper case.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(strings.ToUpper(a.text(0))) }},
		Function{Usage: "lower TEXT", Doc: "In lower case.", Min: 1, Max: 1, Secret: true, body: func(a *Args) any { return a.made(strings.ToLower(a.text(0))) }},
		Function{Usage: "repeat COUNT TEXT", Doc: "TEXT, COUNT times.", Min: 2, Max: 2, Secret: true, body: repeat},
		Function{Usage: "replace OLD NEW TEXT", Doc: "With every OLD replaced by NEW.", Min: 3, Max: 3, Secret: true, body: func(a *Args) any { return a.replace(a.text(2), a.text(0), a.text(1)) }},
		Function{Usage: "substr START END TEXT", Doc: "The characters from START up to END; a negative END is the end of the text.", Min: 3, Max: 3, Secret: true, body: substr},
		Function{Usage: "trunc LENGTH TEXT", Doc: "The first LENGTH characters, or the last if LENGTH is negative.", Min: 2, Max: 2, Secret: true, body: trunc},
		Function{Usage: "abbrev WIDTH TEXT", Doc: "At most WIDTH characters, with an ellipsis where it was cut.", Min: 2, Max: 2, body: abbrev},
		Function{Usage: "contains PART TEXT", Doc: "True if PART stands in TEXT.", Min: 2, Max: 2, body: func(a *Args) any { return strings.Contains(a.text(1), a.text(0)) }},
		Function{Usage: "hasPrefix PREFIX TEXT", Doc: "True if TEXT begins with PREFIX.", Min: 2, Max: 2, body: func(a *Args) any { return strings.HasPrefix(a.text(1), a.text(0)) }},
		Function{Usage: "hasSuffix SUFFIX TEXT", Doc: "True if TEXT ends with SUFFIX.", Min: 2, Max: 2, body: func(a *Args) any { return strings.HasSuffix(a.text(1), a.text(0)) }},
		Function{Usage: "quote VALUE...", Doc: "Each value in double quotes, escaped; null is left out.", Max: -1, Secret: true, body: func(a *Args) any { return a.quoted(strconv.Quote) }},
		Function{Usage: "squote VALUE...", Doc: "Each value in single quotes, not escaped; null is left out.", Max: -1, Secret: true, body: func(a *Args) any { return a.quoted(func(s string) string { return "'" + s + "'" }) }},
		Function{Usage: "indent SPACES TEXT", Doc: "With every line indented.", Min: 2, Max: 2, Secret: true, body: func(a *Args) any { return a.indent("") }},
		Function{Usage: "nindent SPACES TEXT", Doc: "indent after a line break.", Min: 2, Max: 2, Secret: true, body: func(a *Args) any { return a.indent("\n") }},
		Function{Usage: "wrap WIDTH TEXT", Doc: "Broken into lines of WIDTH characters at spaces.", Min: 2, Max: 2, body: func(a *Args) any { return a.wrap(a.int(0), a.text(1)) }},
		Function{Usage: "plural ONE MANY COUNT", Doc: "ONE if COUNT is 1, else MANY.", Min: 3, Max: 3, body: plural},
		Function{Usage: "initials TEXT", Doc: "The first character of every word.", Min: 1, Max: 1, body: initials},
	)
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok
}

func printAll(a *Args) any {
	var b strings.Builder
	for i, v := range a.values {
		if i > 0 && !isText(v) && !isText(a.values[i-1]) {
			b.WriteByte(' ')
		}
		if s := a.print(v); a.grow(b.Len(), len(s)) {
			b.WriteString(s)
		}
	}
	return b.String()
}

func (a *Args) spaced(skipNull bool) string {
	var b strings.Builder
	first := true
	for _, v := range a.values {
		if v == nil && skipNull {
			continue
		}
		if !first {
			b.WriteByte(' ')
		}
		first = false
		if s := a.print(v); a.grow(b.Len(), len(s)) {
			b.WriteString(s)
		}
	}
	return b.String()
}

func println(a *Args) any { return a.spaced(false) + "\n" }

func cat(a *Args) any { return a.spaced(true) }

func (a *Args) quoted(quote func(string) string) any {
	var b strings.Builder
	for _, v := range a.values {
		if v == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if s := a.print(v); a.grow(b.Len(), len(s)+2) {
			b.WriteString(quote(s))
		}
	}
	return a.made(b.String())
}

func nospace(a *Args) any {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, a.text(0))
}

func repeat(a *Args) any {
	n, s := a.int(0), a.text(1)
	if n < 0 {
		return a.fail("cannot repeat %d times", n)
	}
	if len(s) == 0 {
		return ""
	}
	if n > int64(maxText)/int64(len(s)) || !a.room(int(n)*len(s)) {
		return a.fail("%d times %d bytes is too large a text", n, len(s))
	}
	return strings.Repeat(s, int(n))
}

// maxText is beyond every budget, and small enough to calculate with.
const maxText = 1 << 40

func (a *Args) replace(s, old, with string) any {
	n := strings.Count(s, old)
	if a.failed() || n == 0 {
		return s
	}
	if !a.room(len(s) + n*max(len(with)-len(old), 0)) {
		return nil
	}
	return strings.ReplaceAll(s, old, with)
}

func substr(a *Args) any {
	start, end, s := a.int(0), a.int(1), []rune(a.text(2))
	n := int64(len(s))
	if end < 0 || end > n {
		end = n
	}
	start = min(max(start, 0), end)
	return string(s[start:end])
}

func trunc(a *Args) any {
	n, s := a.int(0), a.text(1)
	count := int64(utf8.RuneCountInString(s))
	switch {
	case n >= count || n <= -count:
		return s
	case n >= 0:
		return string([]rune(s)[:n])
	default:
		return string([]rune(s)[count+n:])
	}
}

func abbrev(a *Args) any {
	n, s := a.int(0), []rune(a.text(1))
	if n < 4 || int64(len(s)) <= n {
		return string(s)
	}
	return string(s[:n-3]) + "..."
}

func (a *Args) indent(before string) any {
	n, s := a.int(0), a.text(1)
	if n < 0 {
		return a.fail("cannot indent by %d", n)
	}
	lines := int64(strings.Count(s, "\n") + 1)
	if n > maxText/lines || !a.room(len(s)+1+int(n*lines)) {
		return a.fail("%d lines indented by %d is too large a text", lines, n)
	}
	pad := strings.Repeat(" ", int(n))
	return before + pad + strings.ReplaceAll(s, "\n", "\n"+pad)
}

// wrap breaks at spaces, and leaves words that are longer than a line as they are.
func (a *Args) wrap(width int64, s string) any {
	width = max(width, 1)
	var b strings.Builder
	column := int64(0)
	for i, word := range strings.Split(s, " ") {
		n := int64(utf8.RuneCountInString(word))
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

func plural(a *Args) any {
	one, many := a.any(0), a.any(1)
	if a.int(2) == 1 {
		return one
	}
	return many
}

func initials(a *Args) any {
	var b strings.Builder
	for word := range strings.FieldsSeq(a.text(0)) {
		r, _ := utf8.DecodeRuneInString(word)
		b.WriteRune(r)
	}
	return b.String()
}

func printf(a *Args) any {
	format := a.text(0)
	var b strings.Builder
	next := 1
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			i = len(format)
		}
		if !a.grow(b.Len(), i) {
			return nil
		}
		b.WriteString(format[:i])
		if format = format[i:]; format == "" {
			break
		}
		verb, size := scanVerb(format)
		if size == 0 {
			return a.fail("%.20q is no format: write %%%% for a percent sign", format)
		}
		spec := format[:size]
		format = format[size:]
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if next == a.len() {
			return a.fail("the format has more verbs than values: %s", spec)
		}
		s := a.formatVerb(spec, verb, next)
		if next++; !a.grow(b.Len(), len(s)) {
			return nil
		}
		b.WriteString(s)
	}
	if next < a.len() {
		return a.fail("the format has fewer verbs than values")
	}
	return b.String()
}

// scanVerb reads a verb with its flags, width and precision. Widths of more than four digits are no format.
func scanVerb(s string) (verb rune, size int) {
	i, digits := 1, 0
	for i < len(s) && strings.IndexByte("+-# 0.123456789", s[i]) >= 0 {
		digits++
		if s[i] < '0' || s[i] > '9' {
			digits = 0
		}
		if i++; digits > 4 {
			return 0, 0
		}
	}
	verb, n := utf8.DecodeRuneInString(s[i:])
	if !strings.ContainsRune("%vsqxXdboOcUteEfFgG", verb) || n == 0 {
		return 0, 0
	}
	return verb, i + n
}

func (a *Args) formatVerb(spec string, verb rune, i int) string {
	v := a.any(i)
	switch verb {
	case 'd', 'b', 'o', 'O', 'c', 'U':
		return fmt.Sprintf(spec, a.int(i))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		return fmt.Sprintf(spec, a.float(i))
	case 't':
		return fmt.Sprintf(spec, a.bool(i))
	case 'x', 'X':
		if n, ok := v.(int64); ok {
			return fmt.Sprintf(spec, n)
		}
	case 'v':
		switch v.(type) {
		case int64, float64:
			if len(spec) > 2 && !strings.ContainsAny(spec, "#+") {
				return fmt.Sprintf(spec, v)
			}
		}
		spec = spec[:len(spec)-1] + "s"
		if strings.Contains(spec, "#") {
			spec = strings.ReplaceAll(spec, "#", "")
		}
	}
	s := a.print(v)
	if a.failed() {
		return ""
	}
	return fmt.Sprintf(spec, s)
}
