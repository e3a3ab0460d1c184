package function_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	gotemplate "text/template"

	"github.com/Masterminds/sprig/v3"
	"pgregory.net/rapid"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/template"
	"github.com/tendhq/tend/internal/value"
)

// shared are calls of functions that sprig or Go's templates have too. They must render the same there and here, for
// all texts s and p (plain ASCII, since sprig cuts characters in pieces), small integers n and i (behind int where Go's
// functions take nothing else), lists l and k of texts and maps m and o.
var shared = []string{
	"trim .s", "trimAll .p .s", "trimPrefix .p .s", "trimSuffix .p .s", "nospace .s", "upper .s", "lower .s",
	"replace .p .s .s", "trunc (int .n) .s", "trunc (int .i) .s", "contains .p .s", "hasPrefix .p .s", "hasSuffix .p .s",
	"quote .s", "quote .s .n .p", "squote .s .p", "indent (int .n) .s", "nindent (int .n) .s", "cat .s .n .p", "repeat (int .n) .s",
	"plural .s .p (int .n)", "initials .s", "print .s .n .i .p", "print .n .i", "println .s .n", "printf \"%s-%d-%q\" .s .n .p",
	"printf \"%5d|%-5s|%05.1f|%x|%X|%t\" .n .p 2.5 .n .p true",
	"title .s", "untitle .s", "swapcase .s", "abbrev (int .n) .s",
	"add .n .i 3", "add1 .n", "sub .n .i", "mul .n .i 2", "max .n .i 0", "min .n .i 0", "ceil .n", "floor 2.5", "round 2.4567 2",
	"int .n", "int64 .n", "float64 .n", "until (int .n)", "untilStep (int .i) (int .n) 2", "seq (int .n)", "seq (int .i) (int .n)", "seq (int .i) 2 (int .n)", "mod .n 7", "div .n 7",
	"first .l", "last .l", "rest .l", "initial .l", "append .l .s", "push .l .s", "prepend .l .s", "concat .l .k",
	"reverse .l", "uniq .l", "without .l .p", "has .p .l", "compact .l", "chunk 2 .l", "sortAlpha .l", "join .p .l", "join .p .s",
	"splitList .p .s", "split .p .s", "splitn .p 2 .s", "toStrings .l", "list .s .n", "tuple .s", "slice .l 0 1", "len .l", "len .s",
	"len .m", "index .l 0", "index .m .s",
	"dict .s .n .p", "get .m .s", "hasKey .m .s", "pluck .s .m .o", "pick .m .s .p", "omit .m .s .p",
	"dig \"a\" \"b\" .s (dict \"a\" .m)", "dig \"x\" \"y\" .s .m",
	"merge (dict \"a\" (dict \"b\" .s)) (dict \"a\" (dict \"c\" .p \"b\" .n)) .m",
	"mergeOverwrite .m .o", "merge .m .o", "mergeOverwrite (dict \"a\" (dict \"b\" .s)) (dict \"a\" (dict \"c\" .p \"b\" .n)) .m",
	"default .s .p", "default .s .n", "coalesce .p .s .n", "empty .s", "empty .l", "empty .n", "all .s .p .n", "any .s .p .n",
	"ternary .s .p true", "ternary .s .p false",
	"toString .n", "toJson .m", "toJson .l", "toJson .s", "toRawJson .s", "toPrettyJson .m", "fromJson (toJson .m)", "kindOf .s", "kindOf .l",
	"kindIs \"string\" .s", "b64enc .s", "b64dec (b64enc .s)", "b32enc .s", "b32dec (b32enc .s)", "sha1sum .s", "sha256sum .s",
	"html .s .n", "urlquery .s .n", "base .s", "dir .s", "clean .s", "ext .s", "isAbs .s", "urlJoin (urlParse \"http://u@h:8/p?q=1#f\")",
	"regexMatch \"[a-c]+\" .s", "regexFind \"[a-c]+\" .s", "regexFindAll \"[a-c]\" .s 2", "regexFindAll \"[a-c]\" .s -1",
	"regexReplaceAll \"([a-c])(.)\" .s \"${2}-$1\"", "regexReplaceAll \"b*\" .s \"x\"", "regexReplaceAllLiteral \"[a-c]\" .s \"$1\"",
	"regexSplit \"[ ,]\" .s -1", "regexSplit \"b*\" .s 3", "regexQuoteMeta .s",
	"duration (int64 95)", "durationRound \"2h10m5s\"", "date \"2006-01-02\" 86400000", "dateInZone \"15:04 Z07:00\" 86400 \"UTC\"", "htmlDate 86400",
	"eq .s .p", "ne .s .p", "eq .n .i", "lt .n .i", "le .n .i", "gt .n .i", "ge .n .i", "lt .s .p", "not .s", "and .s .p", "or .s .p",
	"mustToJson .m", "mustRegexMatch \"a\" .s", "mustFirst .l",
}

type inputs struct{ s, p, n, i, l, k, m, o any }

func (in inputs) root() map[string]any {
	return map[string]any{"s": in.s, "p": in.p, "n": in.n, "i": in.i, "l": in.l, "k": in.k, "m": in.m, "o": in.o}
}

func draw(t *rapid.T) inputs {
	text := rapid.OneOf(
		rapid.StringMatching(`[a-c ,./_\-"<&\\]{0,8}`),
		rapid.SampledFrom([]string{"", "abc", "a,b,c", "Hello World", "a b", "/var/log/x.gz", "line\nline", "x"}),
	)
	texts := func(name string) []any {
		out := []any{}
		for _, s := range rapid.SliceOfN(text, 1, 5).Draw(t, name) {
			out = append(out, s)
		}
		return out
	}
	maps := func(name string) map[string]any {
		out := map[string]any{}
		for _, s := range rapid.SliceOfN(text, 0, 4).Draw(t, name) {
			out[s] = text.Draw(t, "value")
		}
		return out
	}
	return inputs{
		s: text.Draw(t, "s"), p: text.Draw(t, "p"),
		n: int64(rapid.IntRange(0, 12).Draw(t, "n")), i: int64(rapid.IntRange(-9, 9).Draw(t, "i")),
		l: texts("l"), k: texts("k"), m: maps("m"), o: maps("o"),
	}
}

// theirs makes a function that renders call with Go's engine and sprig. What is no text is printed as JSON, as it is here.
func theirs(t *testing.T, call string) func(root any) (string, error) {
	t.Helper()
	tmpl, err := gotemplate.New("").Funcs(sprig.TxtFuncMap()).Funcs(gotemplate.FuncMap{"asText": asText}).Parse("{{ asText (" + call + ") }}")
	if err != nil {
		t.Fatal(err)
	}
	return func(root any) (string, error) {
		var b bytes.Buffer
		err := tmpl.Execute(&b, root)
		return b.String(), err
	}
}

func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	n, err := value.Normalize(v)
	if err != nil {
		return err.Error()
	}
	return value.Text(n)
}

func ours(t *testing.T, call string) func(root map[string]any) (string, error) {
	t.Helper()
	tmpl, err := template.Parse("{{ "+call+" }}", function.Standard())
	if err != nil {
		t.Fatal(err)
	}
	return func(root map[string]any) (string, error) {
		r, err := tmpl.Render(template.Input{Root: root, Elements: 1000, Output: 100_000})
		return asText(r.Value), err
	}
}

func TestSharedFunctionsAgreeWithSprig(t *testing.T) {
	t.Parallel()
	for _, call := range shared {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			their, our := theirs(t, call), ours(t, call)
			rapid.Check(t, func(t *rapid.T) {
				in := draw(t)
				want, err := their(in.root())
				if err != nil {
					t.Skip("an error there")
				}
				got, err := our(in.root())
				if err != nil {
					if strings.HasPrefix(call, "index .m") { // a missing key is an error here
						return
					}
					t.Fatalf("%s over %v: %v, sprig says %q", call, in, err, want)
				}
				if got != want {
					t.Fatalf("%s over %v is %q, sprig says %q", call, in, got, want)
				}
			})
		})
	}
}

// The words that people really turn into other cases.
func TestCasesAgreeWithSprig(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"HelloWorld", "helloWorld", "hello world", "hello_world", "hello-world", "HTTPServer", "HTTP20xOK", "number10", "A1B2",
		"foo-bar_baz", "__x", "_leading", "trailing_", "a  b", "myID", "ID", "userIDs", "v1.2.3", "Foo.Bar", "foo10bar",
		"10foo", "FOO", "FooBAR", "foo--bar", "FirstName", "x", "", "aB", "ABc", "a1", "1A", "a-1", "SomeHTTP2Thing", "foo/bar",
	} {
		for _, f := range []string{"snakecase", "kebabcase"} {
			call := f + " .s"
			root := inputs{s: s}.root()
			want, err := theirs(t, call)(root)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := ours(t, call)(root); err != nil || got != want {
				t.Errorf("%s %q is %q (%v), sprig says %q", f, s, got, err, want)
			}
		}
	}
	for s, want := range map[string]string{
		"hello_world": "HelloWorld", "hello-world": "HelloWorld", "hello world": "HelloWorld", "helloWorld": "HelloWorld",
		"first_name": "FirstName", "x": "X", "": "", "number10": "Number10", "HTTPServer": "HTTPServer",
	} {
		if got, err := ours(t, "camelcase .s")(inputs{s: s}.root()); err != nil || got != want {
			t.Errorf("camelcase %q is %q (%v), want %q", s, got, err, want)
		}
	}
}

// Every function of sprig is here, or its absence is on purpose.
func TestWhatOfSprigIsMissing(t *testing.T) {
	t.Parallel()
	absent := map[string]string{
		"environment, network, clock, randomness": "env expandenv getHostByName now ago randAlpha randAlphaNum randAscii randNumeric randInt randBytes shuffle uuidv4",
		"keys, passwords, certificates":           "bcrypt htpasswd genPrivateKey derivePassword buildCustomCert genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES",
		"Go's types":                              "typeOf typeIs typeIsLike deepEqual",
		"the machine's own paths":                 "osBase osClean osDir osExt osIsAbs",
		"other spellings":                         "trimall date_in_zone date_modify must_date_modify htmlDateInZone biggest hello",
		"floats are numbers here":                 "addf add1f subf mulf divf maxf minf toDecimal",
		"rarely used":                             "abbrevboth wrapWith sha512sum adler32sum",
	}
	var known []string
	for _, names := range absent {
		known = append(known, strings.Fields(names)...)
	}
	set := function.Standard()
	for name := range sprig.TxtFuncMap() {
		_, ok := set.Find(name)
		if listed := slices.Contains(known, name); ok == listed {
			t.Errorf("%s: here %v, listed as absent %v", name, ok, listed)
		}
	}
}

func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	list := function.Standard().List()
	if len(list) < 120 {
		t.Errorf("only %d functions", len(list))
	}
	for _, f := range list {
		if f.Doc == "" || f.Group == "" || !strings.HasPrefix(f.Usage, f.Name) || !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, "…") {
			b, _ := json.Marshal(f)
			t.Errorf("%s is not described: %s", f.Name, b)
		}
		if f.Max >= 0 && f.Min > f.Max {
			t.Errorf("%s takes %d to %d arguments", f.Name, f.Min, f.Max)
		}
	}
}
