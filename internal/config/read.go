package config

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/spelling"
)

// Bad tells what is wrong with a field of a section: field is its key, below that of the section; remedy is what to do,
// where there is something to say.
type Bad func(field, remedy, format string, a ...any)

// Checker is a section that knows what does not fit together. It is asked when everything is read, file or not.
type Checker interface{ Check(bad Bad) }

// bounds of a file.
const (
	maxFile  = 1 << 20
	maxDepth = 50
)

// loader reads one configuration and collects what is wrong on the way.
type loader struct {
	getenv   func(string) string
	name     string
	base     string // the directory that paths of the file start at
	lines    []string
	places   map[string]document.Place // by path, of what the file says
	findings []document.Finding
	others   []error // what has no place in a file
}

func (l *loader) fail(err error) {
	if err != nil {
		l.others = append(l.others, err)
	}
}

// problems gives everything that is wrong as one error.
func (l *loader) problems() error {
	return errors.Join(append([]error{document.Fault(document.Sort(l.findings))}, l.others...)...)
}

// file reads a file into v and gives its name, or "" where there is none.
func (l *loader) file(name string, must bool, without string, v any) string {
	if name == "" {
		return ""
	}
	info, err := os.Stat(name)
	var b []byte
	switch {
	case err == nil && info.Size() > maxFile:
		l.fail(fault.New(fault.Limit, "the configuration %s is larger than %d bytes", name, maxFile))
		return name
	case err == nil:
		b, err = os.ReadFile(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		l.fail(fault.New(fault.NotFound, "there is no configuration file %s", name).WithNext("%s", without))
		return ""
	case err != nil:
		l.fail(fault.Wrap(fault.Unavailable, err, "read the configuration"))
		return ""
	}
	l.read(name, b, v)
	return name
}

// read reads the content of a file into v.
func (l *loader) read(name string, b []byte, v any) {
	abs, err := filepath.Abs(name)
	l.fail(err)
	l.base = filepath.Dir(abs)
	l.name, l.lines, l.places = name, strings.Split(string(b), "\n"), map[string]document.Place{}
	var root yaml.Node
	err = yaml.Load(b, &root, yaml.WithV4Defaults())
	var at *yaml.LoadError
	switch {
	case err != nil && strings.TrimSpace(string(b)) == "":
		return
	case errors.As(err, &at):
		l.add(document.RuleYAML, at.Mark.Line, at.Mark.Column, "", "%s", at.Message)
		return
	case err != nil:
		l.add(document.RuleYAML, 0, 0, "", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	if root.Kind == yaml.DocumentNode {
		if len(root.Content) == 0 {
			return
		}
		root = *root.Content[0]
	}
	l.into(&root, reflect.ValueOf(v).Elem(), "", 0)
}

func (l *loader) add(rule string, line, column int, remedy, format string, a ...any) {
	f := document.Finding{
		Rule: rule, Severity: document.Error, Place: document.Place{File: l.name, Line: line, Column: column},
		Message: fmt.Sprintf(format, a...), Remedy: remedy,
	}
	if line > 0 && line <= len(l.lines) {
		f.SourceLine = l.lines[line-1]
	}
	l.findings = append(l.findings, f)
}

func (l *loader) at(rule string, n *yaml.Node, remedy, format string, a ...any) {
	l.add(rule, n.Line, n.Column, remedy, format, a...)
}

// into puts a node into a value.
func (l *loader) into(n *yaml.Node, v reflect.Value, path string, depth int) {
	if depth > maxDepth {
		l.at(document.RuleSize, n, "", "nested deeper than %d levels", maxDepth)
		return
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		l.at(document.RuleYAML, n, "write it out", "anchors and aliases are not read here")
		return
	}
	l.places[path] = document.Place{File: l.name, Line: n.Line, Column: n.Column}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if n.Kind != yaml.ScalarNode {
			l.wrong(n, path, "a text")
		} else if err := t.UnmarshalText([]byte(n.Value)); err != nil {
			l.at(document.RuleValue, n, "", "%s: %s", path, err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		l.into(n, v.Elem(), path, depth+1)
	case reflect.Struct:
		l.section(n, v, path, depth)
	case reflect.Map:
		l.named(n, v, path, depth)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			l.wrong(n, path, "a list")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, c := range n.Content {
			l.into(c, v.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
	default:
		if n.Kind != yaml.ScalarNode {
			l.wrong(n, path, kindWord(v))
			return
		}
		if v.Kind() == reflect.Bool && n.Tag != "!!bool" {
			l.wrong(n, path, kindWord(v))
			return
		}
		if err := scalar(v, n.Value); err != nil {
			l.wrong(n, path, kindWord(v))
		}
	}
}

func (l *loader) wrong(n *yaml.Node, path, want string) {
	if path == "" {
		path = "the configuration"
	}
	l.at(document.RuleType, n, "", "%s must be %s", path, want)
}

func kindWord(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	default:
		return "a number"
	}
}

// scalar puts a text into a value of a simple kind.
func scalar(v reflect.Value, text string) error {
	switch v.Kind() { //nolint:exhaustive // settings are of few kinds
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		v.SetFloat(f)
		return err
	}
	return fmt.Errorf("a setting cannot be of kind %s", v.Kind())
}

// section reads a map with known keys.
func (l *loader) section(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		l.wrong(n, path, "a map")
		return
	}
	fields := settings(v)
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if first, twice := seen[k.Value]; twice {
			l.at(document.RuleDuplicate, k, "keep one of them", "`%s` stands twice here, first in line %d", join(path, k.Value), first)
			continue
		}
		seen[k.Value] = k.Line
		j := slices.IndexFunc(fields, func(f setting) bool { return f.key == k.Value })
		if j < 0 || k.Kind != yaml.ScalarNode {
			var names []string
			for _, f := range fields {
				names = append(names, f.key)
			}
			remedy := "known are " + strings.Join(names, ", ")
			if near := spelling.Nearest(k.Value, names); near != "" {
				remedy = "did you mean `" + near + "`?"
			}
			l.at(document.RuleKey, k, remedy, "there is no setting `%s`", join(path, k.Value))
			continue
		}
		l.into(val, fields[j].value, join(path, k.Value), depth+1)
		if fields[j].path {
			fields[j].value.SetString(below(l.base, fields[j].value.String()))
		}
	}
}

// named reads a map whose keys are names.
func (l *loader) named(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		l.wrong(n, path, "a map")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		key := reflect.ValueOf(k.Value).Convert(v.Type().Key())
		if v.MapIndex(key).IsValid() {
			l.at(document.RuleDuplicate, k, "keep one of them", "`%s` stands twice here", join(path, k.Value))
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		l.into(val, e, join(path, k.Value), depth+1)
		v.SetMapIndex(key, e)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// setting is a field that can be set.
type setting struct {
	key, env string
	path     bool
	value    reflect.Value
}

// settings gives the fields of a section, those of what is embedded first.
func settings(v reflect.Value) []setting {
	var out []setting
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case opts == "inline":
			out = append(out, settings(v.Field(i))...)
		case key != "" && key != "-":
			out = append(out, setting{key: key, env: f.Tag.Get("env"), path: f.Tag.Get("path") != "", value: v.Field(i)})
		}
	}
	return out
}

// environment puts variables over what the file says. Lists are written with commas.
func (l *loader) environment(v any) { l.variables(reflect.ValueOf(v).Elem()) }

func (l *loader) variables(v reflect.Value) {
	for _, s := range settings(v) {
		if s.value.Kind() == reflect.Struct && s.env == "" {
			l.variables(s.value)
			continue
		}
		text := ""
		if s.env != "" {
			text = l.getenv(s.env)
		}
		if text == "" {
			continue
		}
		var err error
		t, ok := s.value.Addr().Interface().(encoding.TextUnmarshaler)
		list, isList := s.value.Addr().Interface().(*[]string)
		switch {
		case ok:
			err = t.UnmarshalText([]byte(text))
		case isList:
			*list = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		default:
			if scalar(s.value, text) != nil {
				err = fmt.Errorf("%q is not %s", text, kindWord(s.value))
			}
		}
		if err != nil {
			l.fail(fault.New(fault.Invalid, "%s: %s", s.env, err))
		}
	}
}

// check asks every section whether it makes sense.
func (l *loader) check(v any) { l.checkAll(reflect.ValueOf(v).Elem(), "") }

func (l *loader) checkAll(v reflect.Value, path string) {
	switch v.Kind() { //nolint:exhaustive // others hold no section
	case reflect.Pointer:
		if !v.IsNil() {
			l.checkAll(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			l.checkAll(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			e := reflect.New(it.Value().Type()).Elem()
			e.Set(it.Value())
			l.checkAll(e, join(path, it.Key().String()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case opts == "inline":
				l.checkAll(v.Field(i), path)
			case key != "" && key != "-":
				l.checkAll(v.Field(i), join(path, key))
			}
		}
		if c, ok := v.Addr().Interface().(Checker); ok {
			c.Check(func(field, remedy, format string, a ...any) { l.bad(join(path, field), remedy, format, a...) })
		}
	}
}

// bad tells about a setting at the place where the file says it, or at the nearest section around that.
func (l *loader) bad(path, remedy, format string, a ...any) {
	for p := path; p != ""; {
		if at, ok := l.places[p]; ok {
			l.add(document.RuleValue, at.Line, at.Column, remedy, format, a...)
			return
		}
		i := strings.LastIndexAny(p, ".[")
		if i < 0 {
			break
		}
		p = p[:i]
	}
	l.fail(fault.New(fault.Invalid, format, a...).WithNext("%s", remedy))
}
