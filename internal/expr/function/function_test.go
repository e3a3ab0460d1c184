package function_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr/function"
	"github.com/tendhq/tend/internal/expr/template"
)

func call(src string, root map[string]any, lenient bool) (any, error) {
	t, err := template.Parse("{{ "+src+" }}", function.Standard())
	if err != nil {
		return nil, err
	}
	r, err := t.Render(template.Input{Root: root, Lenient: lenient, Elements: 1000, Output: 10_000})
	return r.Value, err
}

// What is our own, or deliberately not as in sprig.
func TestOwnMeaning(t *testing.T) {
	t.Parallel()
	root := map[string]any{"list": []any{"a", "b", "c"}, "text": "größer", "big": int64(1 << 62)}
	for src, want := range map[string]any{
		`eq 20 "20"`:                   true,
		`eq "20" "20.0"`:               false,
		`eq true "True"`:               true,
		`eq 1 2 3 1`:                   true,
		`ne 1 1.0`:                     false,
		`lt 9 "10"`:                    true,
		`lt "9" "10"`:                  false,
		`eq (list 1 "2") (list "1" 2)`: true,
		`ieq "Created" "created"`:      true,
		`ieq "a" "b" "A"`:              true,
		`ine "Healthy" "unhealthy"`:    true,
		`ine "UNHEALTHY" "unhealthy"`:  false,
		`ieq 5 "5"`:                    true,
		`slice .list 1`:                []any{"b", "c"},
		`slice .text 0 3`:              "grö",
		`trunc 3 .text`:                "grö",
		`trunc -3 .text`:               "ßer",
		`substr 1 3 .text`:             "rö",
		`abbrev 5 .text`:               "gr...",
		`add 1.5 1`:                    2.5,
		`add 0.5 0.5`:                  int64(1),
		`div 7.5 2`:                    3.75,
		`div 7 2`:                      int64(3),
		`mul 1.5 "2"`:                  int64(3),
		`int "42"`:                     int64(42),
		`int 3.9`:                      int64(3),
		`atoi " 42 "`:                  int64(42),
		`round 2.5`:                    int64(3),
		`max 1 2.5 "2"`:                2.5,
		`ternary 1 2 "true"`:           int64(1),
		`hex "AZ"`:                     "415a",
		`unhex "415a"`:                 "AZ",
		`htmlescape "<a>"`:             "&lt;a&gt;",
		`date "2006" "2024-05-06"`:     "2024",
		`date "15:04" "2024-05-06T07:08:09+02:00"`:           "05:08",
		`dateInZone "15:04" "2024-05-06T07:08:09Z" "+02:00"`: "09:08",
		`dateModify "-1h" "2024-05-06T07:08:09Z"`:            "2024-05-06T06:08:09Z",
		`toDate "2006/01/02" "2024/05/06"`:                   "2024-05-06T00:00:00Z",
		`unixEpoch "1970-01-02"`:                             "86400",
		`date "2006" "86400"`:                                "1970",
		`semverCompare ">=1.2, <2" "1.4.0"`:                  true,
		`semverCompare "^1.4" "2.0.0"`:                       false,
		`semverCompare "^0.2.3" "0.3.0"`:                     false,
		`semverCompare "~1.4.2" "1.4.9"`:                     true,
		`semverCompare "1.x || 3.x" "3.1.4"`:                 true,
		`semverCompare ">1.4" "1.4.9"`:                       false,
		`semverCompare ">= 1.0" "1.1.0-rc.1"`:                false,
		`semverCompare ">1.0.0-alpha" "1.0.0-beta.2"`:        true,
		`semverCompare "*" "1.0.0"`:                          true,
		`(semver "v1.2.3-rc.1+b").Prerelease`:                "rc.1",
		`(set (dict "a" 1) "b" 2).b`:                         int64(2),
		`keys (dict "b" 1 "a" 2)`:                            []any{"a", "b"},
		`values (dict "b" 1 "a" 2)`:                          []any{int64(2), int64(1)},
		`printf "%v %s %d" (list 1 "a") (dict "k" 2) "7"`:    `[1,"a"] {"k":2} 7`,
		`printf "100%%"`:                                     "100%",
		`has 1 (list "1")`:                                   false,
		`uniq (list 1 1.0 "1")`:                              []any{int64(1), "1"},
		`get (dict "a" 1) "b" "c"`:                           "c",
		`get (dict "a" 1) "b"`:                               "",
		`wrap 5 "aa bb cc"`:                                  "aa bb\ncc",
		`regexFind "(" "x" | default "d"`:                    nil, // an error, see below
		`fromJson "{\"a\": [1, 2.5]}"`:                       map[string]any{"a": []any{int64(1), 2.5}},
		`required "needed" .list | first`:                    "a",
		`default "d" 0`:                                      "d",
		`urlquery "a b&c"`:                                   "a+b%26c",
		`(urlParse "https://h:8/p?q#f").hostname`:            "h",
		`kindOf 1`:      "int64",
		`len (dict)`:    int64(0),
		`list | toJson`: "[]",
	} {
		got, err := call(src, root, false)
		if want == nil {
			if err == nil {
				t.Errorf("%s is %v", src, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", src, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	root := map[string]any{"null": nil, "n": int64(5), "list": []any{}, "big": int64(1 << 62)}
	for src, want := range map[string]string{
		`fail "stop here"`:                       "fail: stop here",
		`required "needed" .null`:                "required: needed",
		`atoi "x1"`:                              `atoi: argument 1 is "x1", not an integer`,
		`add 1 "x"`:                              `add: argument 2 is "x", not a number`,
		`upper .null`:                            "upper: argument 1 is null, not text",
		`first .n`:                               "first: argument 1 is a number, not a list",
		`keys .list`:                             "keys: argument 1 is a list, not a map",
		`len .n`:                                 "len: argument 1 is a number, not a list, a map or text",
		`lt 1 "x"`:                               "lt: a number and text have no order",
		`add .big .big`:                          "add: the result does not fit into 64 bits",
		`mul .big 2`:                             "mul: the result does not fit into 64 bits",
		`sub -2 9223372036854775807`:             "sub: the result does not fit into 64 bits",
		`div 1 0`:                                "div: cannot divide by zero",
		`mod 1 0`:                                "mod: cannot divide by zero",
		`div 1 0.0`:                              "div: cannot divide by zero",
		`float64 "NaN"`:                          `float64: argument 1 is "NaN", not a number`,
		`float64 "inf"`:                          "not a number",
		`mul 1e300 1e300`:                        "mul: the result is not a number",
		`slice .list 0 5`:                        "slice: 0 to 5 is outside of 0 elements",
		`chunk 0 .list`:                          "chunk: cannot make chunks of 0 elements",
		`repeat -1 "a"`:                          "repeat: cannot repeat -1 times",
		`regexMatch "(" "a"`:                     "regexMatch: error parsing regexp",
		`b64dec "!"`:                             `b64dec: "!" is no base64`,
		`b64dec "/w=="`:                          "b64dec: the base64 holds bytes that are no text",
		`fromJson "{"`:                           `fromJson: "{" is no JSON`,
		`date "2006" "yesterday"`:                `date: argument 2 is "yesterday", not a time`,
		`dateInZone "2006" 0 "Mars/Base"`:        `dateInZone: zone "Mars/Base" is neither UTC nor an offset`,
		`dateModify "long" 0`:                    "not a duration",
		`semverCompare ">=" "1.0.0"`:             `semverCompare: ">=" is no constraint`,
		`semverCompare ">=1" "one"`:              "not a version",
		`printf "%d"`:                            "printf: the format has more verbs than values",
		`printf "x" 1`:                           "printf: the format has fewer verbs than values",
		`printf "%z" 1`:                          "printf: \"%z\" is no format",
		`printf "%99999d" 1`:                     "is no format",
		`ternary 1 2 "maybe"`:                    `ternary: argument 3 is "maybe", not true or false`,
		`urlParse "http://[::1"`:                 "is no URL",
		`index .list 0`:                          "index: the data has no [0]: it has no elements",
		`round 1.5 9999`:                         "round: cannot round to 9999 places",
		`duration 99999999999`:                   "duration: 99999999999 seconds are too many",
		`int 1e30`:                               "does not fit into 64 bits",
		`upper "a" | atoi | add 1 | quote`:       `atoi: argument 1 is "A"`,
		`trimAll .null "a"`:                      "trimAll: argument 1 is null",
		`dig "a" "b" .null`:                      "dig: argument 3 is null",
		`urlJoin (dict "host" 1)`:                `urlJoin: "host" is not text`,
		`atoi "` + strings.Repeat("9", 99) + `"`: "…",
	} {
		_, err := call(src, root, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %s", src, err, want)
		}
	}
}

// Lenient reads null as empty for every function.
func TestNullIsEmptyForLenient(t *testing.T) {
	t.Parallel()
	root := map[string]any{"null": nil}
	for src, want := range map[string]any{
		`len .null`: int64(0), `upper .null`: "", `add 1 .null`: int64(1), `first .null`: nil, `rest .null`: []any{},
		`keys .null`: []any{}, `join "," .null`: "", `splitList "," .null`: []any{""}, `eq .null ""`: true, `ne .null ""`: false,
		`eq .null 0`: false, `gt .null 0`: false, `lt .null 1`: false, `fromJson "{"`: nil, `slice .null 0 10`: []any{},
		`slice (list 1 2) 0 10`: []any{int64(1), int64(2)}, `has 1 .null`: false, `merge .null (dict "a" 1)`: map[string]any{"a": int64(1)},
		`toJson .null`: "null", `ternary 1 2 .null`: int64(2), `get .null "a"`: "", `hasKey .null "a"`: false, `atoi .null`: int64(0),
		`trunc 3 .null`: "", `regexMatch "^$" .null`: true, `concat .null (list 1)`: []any{int64(1)}, `int ""`: int64(0), `first ""`: nil,
	} {
		got, err := call(src, root, true)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", src, diff)
		}
	}
}

// What changes its argument in sprig does not do so here.
func TestFunctionsArePure(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`set .m "a" 2`, `unset .m "a"`, `merge .m (dict "z" 1)`, `mergeOverwrite .m (dict "a" 9 "sub" (dict "x" 9))`,
		`append .l 9`, `append (slice .l 0 1) 9`, `append (initial .l) 9`, `push (rest .l) 9`, `prepend .l 9`, `reverse .l`, `sortAlpha .l`,
		`concat (slice .l 0 1) (list 9)`, `omit .m "a"`, `compact .l`, `without .l 1`, `mergeOverwrite (dict) .m (dict "sub" (dict "x" 9))`,
	} {
		root := map[string]any{
			"m": map[string]any{"a": int64(1), "sub": map[string]any{"x": int64(1)}},
			"l": append(make([]any, 0, 10), int64(3), int64(1), int64(2)),
		}
		want := map[string]any{
			"m": map[string]any{"a": int64(1), "sub": map[string]any{"x": int64(1)}},
			"l": []any{int64(3), int64(1), int64(2)},
		}
		if _, err := call(src, root, false); err != nil {
			t.Errorf("%s: %v", src, err)
		}
		if diff := cmp.Diff(want, root); diff != "" {
			t.Errorf("%s changed the data: %s", src, diff)
		}
	}
}

// Every function, with arguments of every kind in every place, ends with a value or an error.
func TestNoFunctionPanics(t *testing.T) {
	t.Parallel()
	kinds := []any{
		nil, true, int64(-1), int64(1 << 62), -int64(1 << 62), 0.5, 1e300, "", "text", "9", "(", "%d", "2024-01-01", "a\x00ü",
		[]any{},
		[]any{nil, "a", int64(1), []any{}},
		map[string]any{},
		map[string]any{"a": map[string]any{"b": nil}},
	}
	for _, f := range function.Standard().List() {
		if f.Special {
			continue
		}
		for _, lenient := range []bool{false, true} {
			for n := f.Min; n <= max(f.Max, f.Min+1, 3) && f.Arity(n) == ""; n++ {
				for i := range len(kinds) * 12 {
					args := make([]any, n)
					for j := range args {
						args[j] = kinds[(i*(2*j+1)+i/len(kinds)*j)%len(kinds)]
					}
					e := function.Env{Lenient: lenient, Budget: function.NewBudget(1000, 10_000)}
					started := time.Now()
					_, _ = f.Call(&e, args)
					if took := time.Since(started); took > 2*time.Second {
						t.Errorf("%s %v took %v", f.Name, args, took)
					}
				}
			}
		}
	}
}
