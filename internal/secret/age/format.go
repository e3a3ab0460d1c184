package age

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
)

type format string

const (
	yamlMap  format = "yaml"
	jsonMap  format = "json"
	envLines format = "env"
)

// maxDepth bounds the nesting of maps.
const maxDepth = 20

func formatOf(file string) (format, error) {
	switch filepath.Ext(strings.TrimSuffix(file, ".age")) {
	case ".yaml", ".yml":
		return yamlMap, nil
	case ".json":
		return jsonMap, nil
	case ".env":
		return envLines, nil
	}
	return "", fault.New(fault.Invalid, "the name of %s does not say what it holds", file).
		WithNext("call it secrets.yaml.age, secrets.json.age or secrets.env.age")
}

// parse gives the secrets by name, the parts of nested names joined by a slash.
func (f format) parse(plain []byte) (map[string]secret.Value, error) {
	if !utf8.Valid(plain) {
		return nil, errors.New("it is not UTF-8 text")
	}
	out := map[string]secret.Value{}
	switch f {
	case yamlMap:
		return out, parseYAML(plain, out)
	case jsonMap:
		return out, parseJSON(plain, out)
	default:
		return out, parseEnv(plain, out)
	}
}

func parseYAML(plain []byte, out map[string]secret.Value) error {
	d, err := yaml.NewLoader(bytes.NewReader(plain), yaml.WithV4Defaults())
	if err != nil {
		return errors.New("start the YAML parser")
	}
	var doc yaml.Node
	switch err := d.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		// The parser's own words stay out: they may quote from the text.
		return errors.New("it is not YAML")
	}
	if err := d.Load(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one YAML document")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return errors.New("it is not one YAML document")
	}
	return walkYAML(doc.Content[0], "", 0, out)
}

func walkYAML(n *yaml.Node, name string, depth int, out map[string]secret.Value) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("line %d: maps are nested deeper than %d levels", n.Line, maxDepth)
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode {
				return fmt.Errorf("line %d: a key is not text", key.Line)
			}
			if err := walkYAML(n.Content[i+1], join(name, key.Value), depth+1, out); err != nil {
				return err
			}
		}
		return nil
	case n.Kind == yaml.ScalarNode && name != "":
		if n.ShortTag() == "!!null" {
			return nil
		}
		if !put(out, name, n.Value) {
			return fmt.Errorf("line %d: the name is there twice", n.Line)
		}
		return nil
	case name == "":
		return fmt.Errorf("line %d: it is not a map of names to secrets", n.Line)
	default:
		return fmt.Errorf("line %d: a secret is a text, not a list or an alias", n.Line)
	}
}

func parseJSON(plain []byte, out map[string]secret.Value) error {
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		at := d.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return fmt.Errorf("line %d: it is not a JSON object", 1+bytes.Count(plain[:min(int(at), len(plain))], []byte("\n")))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return walkJSON(all, "", 0, out)
}

func walkJSON(m map[string]any, name string, depth int, out map[string]secret.Value) error {
	if depth > maxDepth {
		return fmt.Errorf("maps are nested deeper than %d levels", maxDepth)
	}
	for k, v := range m {
		at := join(name, k)
		var text string
		switch x := v.(type) {
		case nil:
			continue
		case string:
			text = x
		case json.Number:
			text = x.String()
		case bool:
			text = strconv.FormatBool(x)
		case map[string]any:
			if err := walkJSON(x, at, depth+1, out); err != nil {
				return err
			}
			continue
		default:
			return errors.New("a secret is a text, not a list")
		}
		if !put(out, at, text) {
			return errors.New("a name is there twice")
		}
	}
	return nil
}

// parseEnv reads lines NAME=value. Empty lines and lines that begin with # are left out; `export ` before a name is
// allowed. A value in single quotes is as it stands; one in double quotes knows \n \t \" \\ and \$; any other is taken
// to the end of the line, without the spaces around it. Nothing is expanded.
func parseEnv(plain []byte, out map[string]secret.Value) error {
	n := 0
	for line := range strings.Lines(string(plain)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, text, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return fmt.Errorf("line %d: it is not NAME=value", n)
		}
		text, ok = unquote(strings.TrimSpace(text))
		if !ok {
			return fmt.Errorf("line %d: the quotes do not match", n)
		}
		if !put(out, name, text) {
			return fmt.Errorf("line %d: the name is there twice", n)
		}
	}
	return nil
}

func unquote(s string) (string, bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return s, true
	}
	if len(s) < 2 || s[len(s)-1] != s[0] {
		return "", false
	}
	body := s[1 : len(s)-1]
	if s[0] == '\'' {
		return body, !strings.Contains(body, "'")
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == '"':
			return "", false
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		i++
		if i == len(body) {
			return "", false
		}
		switch c := body[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '"', '\\', '$':
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "/" + key
}

// put keeps the first of two secrets of one name and says so. Keys with dots and nested maps may meet in one name.
func put(out map[string]secret.Value, name, text string) bool {
	if _, twice := out[name]; twice {
		return false
	}
	out[name] = secret.New(text)
	return true
}
