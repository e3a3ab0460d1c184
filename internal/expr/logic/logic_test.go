package logic_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tendhq/tend/internal/expr/logic"
	"github.com/tendhq/tend/internal/expr/ref"
)

func data() map[string]any {
	return map[string]any{
		"params": map[string]any{"limit": int64(800), "text": "20", "none": nil, "yes": "True", "empty": ""},
		"steps": map[string]any{
			"usage": map[string]any{"value": 900.5},
			"list":  map[string]any{"rows": []any{map[string]any{"n": "a", "v": int64(1)}, map[string]any{"n": "b", "v": int64(2)}}},
		},
	}
}

// failed stands for an error in the tables.
const failed = "error"

func TestEval(t *testing.T) {
	t.Parallel()
	l := logic.New(1_000_000)
	for _, c := range []struct {
		src             string
		strict, lenient any
	}{
		{`true`, true, true},
		{`steps.usage.value > params.limit`, true, true},
		{`steps.usage.value >= 900.5 && params.limit == 800.0`, true, true},
		{`1 == 1.0 && 2u == 2 && 1 < 1.5`, true, true},
		{`steps.usage.value`, 900.5, 900.5},
		{`6.0 / 2.0`, int64(3), int64(3)},
		{`steps.list.rows.exists(r, r.v > 1)`, true, true},
		{`steps.list.rows.all(r, r.v > 1)`, false, false},
		{`steps.list.rows.exists_one(r, r.v > 1)`, true, true},
		{`steps.list.rows.map(r, r.n)`, []any{"a", "b"}, []any{"a", "b"}},
		{`steps.list.rows.map(r, r.v > 1, r.n)`, []any{"b"}, []any{"b"}},
		{`steps.list.rows.filter(r, r.v == 2)[0].n`, "b", "b"},
		{`steps.list.rows.size() == 2 && size("abc") == 3`, true, true},
		{`"a" in steps.list.rows.map(r, r.n)`, true, true},
		{`"limit" in params`, true, true},
		{`params["limit"]`, int64(800), int64(800)},
		{`{"a": [1, 2.5, "x", null, true]}`, map[string]any{"a": []any{int64(1), 2.5, "x", nil, true}}, map[string]any{"a": []any{int64(1), 2.5, "x", nil, true}}},
		{`params.limit > 5 ? "many" : "few"`, "many", "many"},
		{`"a" + "b"`, "ab", "ab"},
		{`[1] + [2] + [3]`, []any{int64(1), int64(2), int64(3)}, []any{int64(1), int64(2), int64(3)}},
		{`"x-y".split("-")`, []any{"x", "y"}, []any{"x", "y"}},
		{`"Hello".lowerAscii().replace("l", "L").contains("LL")`, true, true},
		{`"abc".matches("^a.c$") && matches("abc", "b")`, true, true},
		{`["a", "b"].join(",")`, "a,b", "a,b"},
		{`"%s is %d".format(["a", 5])`, "a is 5", "a is 5"},
		{`math.greatest(1, 2.5)`, 2.5, 2.5},
		{`sets.contains([1, 2], [2])`, true, true},
		{`lists.range(3)`, []any{int64(0), int64(1), int64(2)}, []any{int64(0), int64(1), int64(2)}},
		{`[3, 1, 2].sort()[0]`, int64(1), int64(1)},
		{`[1, 2, 1].distinct()`, []any{int64(1), int64(2)}, []any{int64(1), int64(2)}},
		{`[[1], [2]].flatten()`, []any{int64(1), int64(2)}, []any{int64(1), int64(2)}},
		{`timestamp("2024-05-06T07:08:09Z") - duration("1h")`, "2024-05-06T06:08:09Z", "2024-05-06T06:08:09Z"},
		{`duration("90m")`, "1h30m0s", "1h30m0s"},
		{`timestamp("2024-05-06T07:08:09Z").getHours("+02:00")`, int64(9), int64(9)},
		{`type(1) == int && int("5") == 5 && string(5) == "5"`, true, true},
		{`b"abc"`, "abc", "abc"},
		{`"ä".size() == 1`, true, true},

		{`has(params.limit)`, true, true},
		{`has(params.nope)`, false, false},
		{`has(steps.nope.value)`, false, false},
		{`has(nope.a.b)`, false, false},
		{`has(nope)`, false, false},
		{`has(steps.list.rows[5].n)`, false, false},
		{`has(params.none)`, true, true},
		{`has(params.none.x)`, false, false},
		{`has(steps.nope.value) && steps.nope.value > 1`, false, false},
		{`!has(steps.nope.value) || steps.nope.value > 1`, true, true},

		{`params.nope`, failed, nil},
		{`steps.nope.value > 1`, failed, false},
		{`nope`, failed, nil},
		{`!nope`, failed, true},
		{`nope && true`, failed, false},
		{`nope || true`, true, true},
		{`nope ? 1 : 2`, failed, int64(2)},
		{`size(nope) == 0`, failed, true},
		{`nope == ""`, failed, true},
		{`nope == null`, failed, true},
		{`"a" in nope`, failed, false},
		{`params.text == 20`, false, true},
		{`params.text > 5`, failed, true},
		{`params.text < "3"`, true, true},
		{`params.yes == true`, false, true},
		{`params.yes && true`, failed, true},
		{`20 in [params.text]`, false, true},
		{`params.none < 5`, failed, false},
		{`params.none == null`, true, true},
		{`params.none != 5`, true, true},
		{`"a" < 5`, failed, false},
		{`double("NaN") < 5.0`, false, false},
		{`double("NaN") >= 5.0`, false, false},

		{`1 / 0`, failed, failed},
		{`9223372036854775807 + 1`, failed, failed},
		{`"a" + 1`, failed, failed},
		{`type(1)`, failed, failed},
		{`b"\xff"`, failed, failed},
		{`steps.list.rows[9].n`, failed, nil},
	} {
		t.Run(c.src, func(t *testing.T) {
			t.Parallel()
			for _, lenient := range []bool{false, true} {
				want := c.strict
				if lenient {
					want = c.lenient
				}
				cond, err := l.Compile(c.src, lenient)
				if err != nil {
					t.Fatal(err)
				}
				got, err := cond.Eval(data(), false)
				if err != nil {
					got = failed
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("lenient %v: %v %s", lenient, err, diff)
				}
			}
		})
	}
}

// Where no data is never success, null and NaN decide nothing.
func TestNoDataDecidesNothing(t *testing.T) {
	t.Parallel()
	l := logic.New(1_000_000)
	for src, want := range map[string]any{
		`params.none != 5`:              failed,
		`params.none == 5`:              failed,
		`!(params.none == 5)`:           failed,
		`5 != params.none`:              failed,
		`params.none < 5`:               failed,
		`!(params.none > 5)`:            failed,
		`double("NaN") != 1.0`:          failed,
		`!(double("NaN") < 1.0)`:        failed,
		`params.none == null`:           true,
		`params.none != null`:           false,
		`null != params.limit`:          true,
		`params.limit != 5`:             true,
		`params.none != 5 || true`:      true,
		`has(params.x) && params.x > 5`: false,
	} {
		for _, lenient := range []bool{false, true} {
			cond, err := l.Compile(src, lenient)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cond.Eval(data(), true)
			if err != nil {
				got = failed
			}
			if got != want {
				t.Errorf("%s (lenient %v) is %v (%v), want %v", src, lenient, got, err, want)
			}
		}
	}
}

func TestErrorsSayWhat(t *testing.T) {
	t.Parallel()
	l := logic.New(1_000_000)
	for _, c := range []struct {
		src, want string
		offset    int
	}{
		{`params.limt > 5`, `params has no "limt"; did you mean "limit"?`, 0},
		{`1 < 2 && stps.usage.value > 1`, `the data has no "stps"; did you mean "steps"?`, 9},
		{`steps.list.rows[7].n == ""`, "steps.list.rows has no [7]: it has 2 elements", 0},
		{`params.none.x == 1`, `params.none is null and has no "x"`, 0},
		{`params.text > 5`, "text and a number have no order; double() makes a number of a text", -1},
		{`params.none > 5`, "there is no data: one side is null", -1},
		{`"größe" != "x" && nope`, `the data has no "nope"`, 20},
	} {
		cond, err := l.Compile(c.src, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cond.Eval(data(), false)
		at := (*ref.Error)(nil)
		if !errors.As(err, &at) || !strings.Contains(at.Reason, c.want) || at.Offset != c.offset {
			t.Errorf("%s: %v, want %s at %d", c.src, err, c.want, c.offset)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	l := logic.New(1_000_000)
	for _, c := range []struct {
		src, want string
		offset    int
	}{
		{``, "an empty expression", 0},
		{`params.limit >`, "", -2},
		{`a = 1`, "", -2},
		{`a ==== 1`, "", -2},
		{`(a`, "", -2},
		{`"abc`, "", -2},
		{`siz(a)`, `unknown function siz; did you mean "size"?`, -2},
		{`a.contins("x")`, `unknown function contins; did you mean "contains"?`, -2},
		{`contains("x")`, "contains is called on a value: x.contains(…)", -2},
		{`a.exists(x)`, "exists is written list.exists(x, condition)", -2},
		{`size()`, "size does not take 0 arguments", -2},
		{`a.double()`, "double takes its value in parentheses: double(x)", -2},
		{`has(1)`, "has() takes a path", -2},
		{`Foo{a: 1}`, "expressions cannot make messages", -2},
		{"a \xff", "not UTF-8", -1},
		{"{{ .a }}", "", -2},
		{`timestamp(a).getHours("Europe/Berlin")`, `the time zone is UTC or an offset such as "+02:00"`, 22},
		{`timestamp(a).getHours(b)`, "the time zone is UTC", 22},
	} {
		_, err := l.Compile(c.src, false)
		at := (*ref.Error)(nil)
		if !errors.As(err, &at) || !strings.Contains(err.Error(), c.want) || c.offset > -2 && at.Offset != c.offset {
			t.Errorf("%q: %v, want %s", c.src, err, c.want)
		}
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	l := logic.New(1_000_000)
	for _, c := range []struct {
		src  string
		want []string
	}{
		{`true`, nil},
		{`steps.usage.value > params.limit`, []string{"steps.usage.value@steps.usage.value", "params.limit@params.limit"}},
		{`a["b-c"][0].d`, []string{`a.b-c.[0].d@a["b-c"][0].d`}},
		{`a[b.c].d`, []string{"b.c@b.c", "a~@a[b.c].d"}},
		{`has(a.b)`, []string{"a.b?@a.b"}},
		{`has(a.b) && a.b.c > 1`, []string{"a.b?@a.b", "a.b.c?@a.b.c"}},
		{`has(a.b) ? a.b : a.b`, []string{"a.b?@a.b", "a.b?@a.b", "a.b@a.b"}},
		{`has(a.b) || a.b`, []string{"a.b?@a.b", "a.b@a.b"}},
		{`(has(a.b) && x) && a.b`, []string{"a.b?@a.b", "x@x", "a.b?@a.b"}},
		{`l.exists(x, x.v > y)`, []string{"l@l", "l.[*].v@x.v", "y@y"}},
		{`l.map(x, x.a.map(z, z.b + x.c))`, []string{"l@l", "l.[*].a@x.a", "l.[*].a.[*].b@z.b", "l.[*].c@x.c"}},
		{`type(a) == int`, []string{"a@a"}},
		{`"ä" + a.b`, []string{"a.b@a.b"}},
		{`size(a.b)`, []string{"a.b@a.b"}},
		{`math.greatest(a.b, 1)`, []string{"a.b@a.b"}},
		{`{"k": a}.k`, []string{"a@a"}},
		{`a . b`, []string{"a.b@a . b"}},
	} {
		cond, err := l.Compile(c.src, false)
		if err != nil {
			if c.want != nil {
				t.Errorf("%s: %v", c.src, err)
			}
			continue
		}
		var got []string
		for _, p := range cond.Uses().Paths {
			mark := ""
			if p.Guarded {
				mark += "?"
			}
			if p.Dynamic {
				mark += "~"
			}
			got = append(got, fmt.Sprintf("%s%s@%s", strings.Join(p.Path, "."), mark, c.src[p.Offset:p.Offset+p.Length]))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.src, diff)
		}
	}
}
