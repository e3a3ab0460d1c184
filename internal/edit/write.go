package edit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/language"
)

// wide is how long a list in brackets may be.
const wide = 80

func scalarData(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func emptyData(v any) bool {
	switch x := v.(type) {
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	}
	return false
}

// inlineFits tells whether a value can stand on one line as a person would write it.
func inlineFits(v any) bool {
	switch x := v.(type) {
	case string:
		return !strings.Contains(x, "\n")
	case map[string]any:
		for _, e := range x {
			if !inlineFits(e) {
				return false
			}
		}
	case []any:
		for _, e := range x {
			if !inlineFits(e) {
				return false
			}
		}
	}
	return true
}

// inline writes a value on one line.
func inline(v any, flow bool) string {
	switch x := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, key(k, true)+": "+inline(x[k], true))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = inline(e, true)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return scalar(v, flow)
	}
}

func key(name string, flow bool) string { return scalar(name, flow) }

// scalar writes a scalar on one line with as few quotes as possible, templates in single ones.
func scalar(v any, flow bool) string {
	s, ok := v.(string)
	if !ok {
		return jsonText(v)
	}
	switch {
	case strings.IndexFunc(s, func(r rune) bool {
		return r != ' ' && !unicode.IsPrint(r) || r == '\uFEFF' || r == unicode.ReplacementChar
	}) >= 0:
		return jsonText(s)
	case !strings.Contains(s, "{{") && plain(s, flow):
		return s
	default:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
}

func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}

// plain tells whether YAML reads a text without quotes as that text.
func plain(s string, flow bool) bool {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\n\r\t") {
		return false
	}
	text := "k: " + s
	if flow {
		text = "{k: " + s + "}"
	}
	docs, findings := document.Nodes("", []byte(text))
	if len(findings) > 0 || len(docs) != 1 || docs[0].Content[0].Kind != yaml.MappingNode || len(docs[0].Content[0].Content) != 2 {
		return false
	}
	v := docs[0].Content[0].Content[1]
	return v.Kind == yaml.ScalarNode && v.Style == 0 && v.ShortTag() == "!!str" && v.Value == s && v.Anchor == ""
}

// item writes the lines of a map as those of an item of a list.
func item(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		switch {
		case i == 0:
			out[i] = "- " + l
		case blank(l):
			out[i] = l
		default:
			out[i] = "  " + l
		}
	}
	return out
}

// block writes the entries of a map, in the order of the reference.
func (w *writer) block(m map[string]any, form document.Form) []string {
	table := language.Table(form, w.dialect)
	names := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(uint(table.Index(a)), uint(table.Index(b))) //nolint:gosec // -1 is last
	})
	var out []string
	for _, name := range names {
		f := document.FormPlain
		if i := table.Index(name); i >= 0 {
			f = table[i].Form
		}
		out = append(out, w.entryLines(key(name, false)+":", m[name], f)...)
	}
	return out
}

// itemOf writes an item of a list.
func (w *writer) itemOf(v any, form document.Form) []string {
	if m, ok := v.(map[string]any); ok && len(m) > 0 {
		return item(w.block(m, form))
	}
	return w.entryLines("-", v, form)
}

// entryLines writes a value behind its key or dash.
func (w *writer) entryLines(head string, v any, form document.Form) []string {
	switch x := v.(type) {
	case string:
		if body, mark, ok := blockText(x); ok {
			out := []string{head + " " + mark}
			for _, l := range body {
				if l != "" {
					l = "  " + l
				}
				out = append(out, l)
			}
			return out
		}
	case map[string]any:
		if len(x) > 0 {
			return append([]string{head}, indented(w.block(x, form))...)
		}
	case []any:
		if len(x) > 0 && (slices.ContainsFunc(x, func(e any) bool { return !scalarData(e) || !inlineFits(e) }) || len(inline(x, true)) > wide) {
			out := []string{head}
			for _, e := range x {
				out = append(out, indented(w.itemOf(e, form.Item()))...)
			}
			return out
		}
	}
	return []string{head + " " + inline(v, false)}
}

func indented(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		if !blank(l) {
			l = "  " + l
		}
		out[i] = l
	}
	return out
}

// blockText takes a text of several lines apart, with the mark that a block of them has.
func blockText(s string) (lines []string, mark string, ok bool) {
	if !strings.Contains(s, "\n") || strings.Trim(s, "\n") == "" {
		return nil, "", false
	}
	if strings.IndexFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && r != ' ' && !unicode.IsPrint(r) || r == '\uFEFF' }) >= 0 {
		return nil, "", false
	}
	body := strings.TrimRight(s, "\n")
	lines = strings.Split(body, "\n")
	mark = "|"
	if strings.HasPrefix(strings.TrimLeft(body, "\n"), " ") || strings.HasPrefix(body, "\n") || strings.HasPrefix(strings.TrimLeft(body, "\n"), "\t") {
		mark += "2"
	}
	if slices.ContainsFunc(lines, func(l string) bool { return l != "" && blank(l) }) {
		return nil, "", false // lines of spaces alone do not survive editors
	}
	switch n := len(s) - len(body); {
	case n == 0:
		mark += "-"
	case n > 1:
		return nil, "", false
	}
	return lines, mark, true
}
