package format

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// entries writes the entries of a block map or list. inline tells that the first one goes on the line that was begun.
func (f *formatter) entries(es []*entry, indent int, inline bool) {
	for i, e := range es {
		if !inline || i > 0 {
			if e.blank && i > 0 {
				f.out.WriteByte('\n')
			}
			f.comments(e.head, indent)
			f.pad(indent)
		}
		if e.key == nil {
			f.item(e, indent)
		} else {
			f.out.WriteString(f.scalar(e.key, false))
			f.out.WriteByte(':')
			f.value(e, indent)
		}
		f.comments(e.foot, indent)
	}
}

func (f *formatter) pad(indent int) {
	for range indent {
		f.out.WriteByte(' ')
	}
}

// comments writes comments on lines of their own; "" is a blank line.
func (f *formatter) comments(cs []string, indent int) {
	for _, c := range cs {
		if c != "" {
			f.pad(indent)
			f.out.WriteString(c)
		}
		f.out.WriteByte('\n')
	}
}

// item writes an item of a block list after its indentation.
func (f *formatter) item(e *entry, indent int) {
	f.out.WriteByte('-')
	if !f.asBlock(e, indent+2) || e.val.Kind != yaml.MappingNode || e.val.Anchor != "" || explicitTag(e.val) != "" || e.eol != "" {
		f.value(e, indent)
		return
	}
	f.out.WriteByte(' ')
	f.entries(e.kids, indent+2, true)
}

// value writes what follows a key or dash, and ends the line.
func (f *formatter) value(e *entry, indent int) {
	n := e.val
	props := ""
	if n.Anchor != "" && n.Kind != yaml.AliasNode {
		props += " &" + n.Anchor
	}
	if tag := explicitTag(n); tag != "" {
		props += " " + tag
	}
	f.out.WriteString(props)
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		f.block(e, indent)
		return
	}
	if f.asBlock(e, f.column()+1) {
		f.eol(e)
		f.entries(e.kids, indent+2, false)
		return
	}
	if text := f.inline(n, e.kids); text != "" {
		f.out.WriteByte(' ')
		f.out.WriteString(text)
	}
	f.eol(e)
}

func (f *formatter) eol(e *entry) {
	if e.eol != "" {
		f.out.WriteByte(' ')
		f.out.WriteString(e.eol)
	}
	f.out.WriteByte('\n')
}

// column counts the characters of the line that was begun.
func (f *formatter) column() int {
	s := f.out.String()
	return utf8.RuneCountInString(s[strings.LastIndexByte(s, '\n')+1:])
}

// asBlock tells whether a map or list is written as a block: it was one, has comments inside, or is too long for a line.
func (f *formatter) asBlock(e *entry, column int) bool {
	if len(e.kids) == 0 || e.val.Kind == yaml.AliasNode {
		return false
	}
	if e.val.Style&yaml.FlowStyle == 0 || e.expand {
		return true
	}
	return column+utf8.RuneCountInString(f.inline(e.val, e.kids)) > Width
}

// inline is a value on one line.
func (f *formatter) inline(n *yaml.Node, kids []*entry) string {
	switch n.Kind {
	case yaml.AliasNode:
		return "*" + n.Value
	case yaml.ScalarNode:
		return f.scalar(n, false)
	default: // a map or list
	}
	var b strings.Builder
	open, end := "{", "}"
	if n.Kind == yaml.SequenceNode {
		open, end = "[", "]"
	}
	b.WriteString(open)
	for i, k := range kids {
		if i > 0 {
			b.WriteString(", ")
		}
		f.flowEntry(&b, k)
	}
	b.WriteString(end)
	return b.String()
}

func (f *formatter) flowEntry(b *strings.Builder, k *entry) {
	if k.key != nil {
		b.WriteString(f.scalar(k.key, true))
		b.WriteByte(':')
		if k.val.Kind == yaml.ScalarNode && k.val.Value == "" && k.val.Tag == "!!null" {
			return
		}
		b.WriteByte(' ')
	}
	if k.val.Anchor != "" && k.val.Kind != yaml.AliasNode {
		b.WriteString("&" + k.val.Anchor + " ")
	}
	if tag := explicitTag(k.val); tag != "" {
		b.WriteString(tag + " ")
	}
	if k.val.Kind == yaml.ScalarNode {
		b.WriteString(f.scalar(k.val, true))
		return
	}
	b.WriteString(f.inline(k.val, k.kids))
}

// block writes a block text: its lines as they stand, indented anew.
func (f *formatter) block(e *entry, indent int) {
	body, indicator, ok := f.lines.blockText(e.val)
	if !ok {
		f.out.WriteByte(' ')
		f.out.WriteString(doubleQuoted(e.val.Value))
		f.eol(e)
		return
	}
	f.out.WriteByte(' ')
	f.out.WriteString(indicator)
	f.eol(e)
	for _, line := range body {
		if line != "" {
			f.pad(indent + 2)
			f.out.WriteString(line)
		}
		f.out.WriteByte('\n')
	}
}

// explicitTag is the tag that is written before a node, if any.
func explicitTag(n *yaml.Node) string {
	if n.Style&yaml.TaggedStyle == 0 {
		return ""
	}
	return n.ShortTag()
}

// scalar writes a scalar on one line with as few quotes as possible.
func (f *formatter) scalar(n *yaml.Node, flow bool) string {
	if n.Kind == yaml.AliasNode {
		return "*" + n.Value + " "
	}
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	v := n.Value
	switch {
	case n.Tag != "!!str" && plain:
		return v
	case strings.Contains(v, "{{"):
		return quote(v)
	case isPlain(v, flow):
		return v
	case plain && !strings.ContainsAny(v, "\n") && !flow && n.Style&yaml.TaggedStyle == 0:
		return v // it was read as a text as it stands
	case plain && !strings.ContainsAny(v, "\n,[]{}") && n.Style&yaml.TaggedStyle == 0:
		return v
	default:
		return quote(v)
	}
}

// quote writes a text in single quotes, or in double ones where they read better or must be.
func quote(s string) string {
	printable := true
	for _, c := range s {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == utf8.RuneError {
			printable = false
			break
		}
	}
	switch {
	case !printable:
		return doubleQuoted(s)
	case strings.Contains(s, "'") && !strings.ContainsAny(s, `"\`):
		return `"` + s + `"`
	default:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
}

func doubleQuoted(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0:
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4&15])
			b.WriteByte(hex[c&15])
		case c == 0x2028 || c == 0x2029 || c == 0xfeff:
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[c>>shift&15])
			}
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlain tells texts that need no quotes, with every reader of YAML 1.1 and 1.2.
func isPlain(s string, flow bool) bool {
	if s == "" || strings.TrimSpace(s) != s {
		return false
	}
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0xa0 && c != 0xfeff && c != 0x2028 && c != 0x2029
		switch {
		case letter:
		case i == 0 && c == '/', i == 0 && c == '.' && len(s) > 1 && s[1] == '/', i == 0 && c == '$':
		case i == 0:
			return false
		case c >= '0' && c <= '9', strings.ContainsRune(" ./_+-=@%$();<>?!~^*&|\\\"'", c):
		case c == ',' && !flow:
		case c == ':' && i+1 < len(s) && s[i+1] != ' ' && !flow:
		case c == '#' && s[i-1] != ' ':
		default:
			return false
		}
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n", "~":
		return false
	}
	return true
}
