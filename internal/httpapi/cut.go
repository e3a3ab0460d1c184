package httpapi

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/wire"
)

// cutRow shortens what is long in a row of a list: whoever shows a list shows the beginning of a text, and a label from
// outside can have a megabyte. most is in bytes; 0 leaves everything.
func cutRow(r *wire.Row, most int) {
	if most == 0 {
		return
	}
	r.Name, r.Tag = cutText(r.Name, most), cutText(r.Tag, most)
	if len(r.Labels) > 0 {
		labels := make(map[string]string, len(r.Labels)) // the row's own are the store's
		for k, v := range r.Labels {
			labels[k] = cutText(v, most)
		}
		r.Labels = labels
	}
	if len(r.Body) <= most {
		return
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	var body any
	if d.Decode(&body) != nil {
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(cutValue(body, most)) == nil {
		r.Body = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
}

func cutValue(v any, most int) any {
	switch v := v.(type) {
	case string:
		return cutText(v, most)
	case []any:
		for i := range v {
			v[i] = cutValue(v[i], most)
		}
	case map[string]any:
		for k := range v {
			v[k] = cutValue(v[k], most)
		}
	}
	return v
}

// cutText cuts no character in two, and shows that it cut.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
