package proof_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/tendhq/tend/internal/testenv/postgres"
	"github.com/tendhq/tend/internal/testenv/tend"
)

// leaky are playbooks that do what they can to let a secret out. NAME is the secret's name, ECHO a server that answers
// with all that it is asked. The number is the exit code.
var leaky = []struct {
	name  string
	code  int
	steps string
}{
	{"environment", 0, `
  - id: a
    uses: shell
    env: {TOKEN: '{{ secret "NAME" }}', HEADER: 'Bearer {{ secret "NAME" }}'}
    with:
      script: |
        env; set -x; echo "$TOKEN" "$HEADER"; echo "<$TOKEN>" >&2; printf %s "$TOKEN" | base64; printf "x%s" "$TOKEN" | base64
        printf "xy%sz" "$TOKEN" | base64 -w 8; printf %s "$TOKEN" | od -An -tx1 | tr -d ' \n'; echo
        printf %s "$TOKEN" | od -An -tx1 | tr ' ' '%' | tr -d '\n'; echo
        python3 -c 'import os,urllib.parse,json;t=os.environ["TOKEN"];print(urllib.parse.quote(t),urllib.parse.quote_plus(t),json.dumps({"a":t}))' || true
  - id: b
    uses: log
    with: {message: 'it said {{ $.steps.a.stdout }} and {{ $.steps.a.stderr }}'}
`},
	{"keys and values", 0, `
  - id: a
    uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {parse: json, script: 'printf "{\"%s\": \"%s\", \"list\": [\"a%sb\", {\"deep\": \"%s\"}]}" "$TOKEN" "$TOKEN" "$TOKEN" "$TOKEN"'}
  - {uses: log, with: {message: '{{ toJson $.steps.a.value }}'}}
  - foreach: {in: '{{ $.steps.a.value.list }}', value: v, steps: [{uses: log, with: {message: '{{ toJson $.v }}'}}]}
`},
	{"standard input", 0, `
  - uses: shell
    effect: read
    with: {script: 'cat; echo; tee copy >&2 < /dev/null', stdin: 'user:{{ secret "NAME" }}'}
`},
	{"arguments", 0, `
  - uses: shell
    effect: read
    with: {argv: [echo, 'password={{ secret "NAME" }}']}
`},
	{"a large output", 0, `
  - id: a
    uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'i=0; while [ $i -lt 4000 ]; do echo "line $i has $TOKEN in it, and more"; i=$((i+1)); done'}
`},
	{"small pieces", 0, `
  - uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'printf %s "$TOKEN" | fold -w 1 | while IFS= read -r c; do printf %s "$c"; sleep 0.002; done; echo'}
`},
	{"a failure", 1, `
  - uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'echo "cannot log in with $TOKEN" >&2; exit 3'}
`},
	{"what cannot be parsed", 1, `
  - uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'echo "{$TOKEN"', parse: json}
`},
	{"a program that is not there", 1, `
  - uses: shell
    effect: read
    with: {argv: ['/nowhere/{{ secret "NAME" }}']}
`},
	{"a directory that is not there", 1, `
  - uses: shell
    effect: read
    with: {script: pwd, cwd: '/nowhere/{{ secret "NAME" }}'}
`},
	{"a request", 0, `
  - id: a
    uses: http
    with:
      method: POST
      url: ECHO/form
      path: ['{{ secret "NAME" }}']
      query: {key: '{{ secret "NAME" }}'}
      headers: {X-Token: '{{ secret "NAME" }}'}
      auth: {bearer: '{{ secret "NAME" }}'}
      json: {password: '{{ secret "NAME" }}'}
  - {uses: log, with: {message: '{{ $.steps.a.body }} {{ toJson $.steps.a.headers }}'}}
  - {uses: http, with: {url: ECHO/basic, auth: {username: me, password: '{{ secret "NAME" }}'}}}
  - {uses: http, with: {method: POST, url: ECHO/form, form: {p: '{{ secret "NAME" }}'}}}
`},
	{"an answer that is a failure", 1, `
  - uses: http
    with: {url: ECHO/status/500, query: {key: '{{ secret "NAME" }}'}, auth: {bearer: '{{ secret "NAME" }}'}}
`},
	{"a redirect", 1, `
  - uses: http
    with: {url: ECHO/redirect, redirects: 2, query: {key: '{{ secret "NAME" }}'}, headers: {Cookie: 's={{ secret "NAME" }}'}}
`},
	{"a server that is not there", 1, `
  - uses: http
    with: {url: 'http://127.0.0.1:9/{{ secret "NAME" }}', query: {key: '{{ secret "NAME" }}'}, auth: {bearer: '{{ secret "NAME" }}'}}
`},
	{"a host that is not there", 1, `
  - uses: http
    with: {url: 'http://{{ secret "NAME" | b64enc | replace "=" "" | replace "+" "" | replace "/" "" }}.invalid/'}
`},
	{"an approval", 6, `
  - uses: shell
    approval: {message: really?}
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: echo, stdin: 'x{{ secret "NAME" }}'}
`},
	{"a doubt", 7, `
  - uses: shell
    timeout: 300ms
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'echo "begun with $TOKEN"; sleep 30', grace: 100ms}
`},
	{"a verification", 1, `
  - uses: shell
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'echo changed'}
    verify:
      uses: shell
      env: {TOKEN: '{{ secret "NAME" }}'}
      with: {script: 'echo "it is $TOKEN"'}
      until: result.value == "other"
    undo:
      uses: shell
      env: {TOKEN: '{{ secret "NAME" }}'}
      with: {script: 'echo "back with $TOKEN"; exit 4'}
`},
	{"data", 0, `
  - id: a
    uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    with: {script: 'printf "[{\"user\": \"ada\", \"key\": \"%s\"}]" "$TOKEN"', parse: json}
  - {uses: tabulate, with: {rows: '{{ $.steps.a.value }}'}}
  - {uses: transform, with: {data: '{{ $.steps.a.value }}', query: '.[0].key | @base64'}}
  # tend:allow secret-exposed it must be masked
  - {uses: replace, with: {text: '{{ toJson $.steps.a.value }}', find: ada, with: bob}}
`},
	{"files that are kept", 0, `
  - uses: shell
    effect: read
    env: {TOKEN: '{{ secret "NAME" }}'}
    artifacts: ['*.txt']
    with: {script: 'cd "$TEND_WORK"; echo "in a file: $TOKEN" > report.txt; echo "$TOKEN" > "$TEND_WORK/other.txt"'}
`},
	{"a sub-playbook and a module", 0, `
  - {id: m, uses: proof/module, with: {access: 'NAME', text: 'm {{ secret "NAME" }}'}}
  - {uses: playbook, with: {name: called, params: {access: 'NAME'}}}
`},
	{"branches, conditions and a loop", 0, `
  - parallel:
      - uses: shell
        effect: read
        env: {TOKEN: '{{ secret "NAME" }}'}
        with: {script: 'echo "$TOKEN"'}
      - id: s
        uses: shell
        effect: read
        env: {TOKEN: '{{ secret "NAME" }}'}
        with: {script: 'echo "$TOKEN"'}
  - when: steps.s.value != "nothing"
    uses: log
    with: {message: '{{ $.steps.s.value }}'}
  - {uses: assert, ignoreFailure: true, with: {that: 'steps.s.value == "nothing"', message: 'it is {{ $.steps.s.value }}'}}
`},
}

const called = `
apiVersion: tend/v1
kind: Playbook
metadata: {name: called}
parameters: [{name: access, type: secret, description: Name of a secret.}]
steps:
  - id: a
    uses: shell
    effect: read
    env: {TOKEN: '{{ secret $.params.access }}'}
    with: {script: 'echo "called with $TOKEN"'}
outputs: {said: '{{ $.steps.a.value }}'}
---
apiVersion: tend/v1
kind: Step
metadata: {name: proof/module}
inputs:
  - {name: access, type: secret, description: Name of a secret.}
  - {name: text, type: string, description: A text.}
effect: read
run:
  uses: shell
  env: {TOKEN: '{{ secret $.params.access }}', TEXT: '{{ $.params.text }}'}
  with: {script: 'echo "module with $TOKEN and $TEXT"'}
outputs:
  - {name: said, type: string, value: result.value, description: What it said.}
`

// echo is a server that answers with all that it hears.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Heard", r.Header.Get("Authorization"))
		w.Header().Set("Set-Cookie", "s="+r.Header.Get("X-Token"))
		switch {
		case strings.HasPrefix(r.URL.Path, "/redirect"):
			http.Redirect(w, r, "/status/404?again="+r.URL.RawQuery, http.StatusFound)
			return
		case strings.HasPrefix(r.URL.Path, "/status/500"):
			w.WriteHeader(http.StatusInternalServerError)
		case strings.HasPrefix(r.URL.Path, "/status/404"):
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = fmt.Fprintf(w, "%s %s %v %s", r.Method, r.URL, r.Header, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestPlantedSecrets runs what lets secrets out, with a secret of every provider, looks at it with every command, and
// searches all that was printed and written.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{"env", "file", "age"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			c := newCanary("Kq7+planted/" + provider + "=s3cr3t&v?z")
			h := tend.New(t)
			keep := plant(t, h, provider, c.text)
			p := planted{t, h, []canary{c}}
			url := echo(t)
			h.Write("called.yaml", called)
			for i, l := range leaky {
				if provider != "env" && i%5 != 0 {
					continue // what happens to a value does not depend on where it comes from
				}
				file := strings.NewReplacer(" ", "-", ",", "").Replace(l.name) + ".yaml"
				h.Write(file, "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: leaky}\nsteps:"+
					strings.NewReplacer("NAME", "proof/token", "ECHO", url).Replace(l.steps))
				p.run(0, "run", file, "--plan")
				p.run(0, "run", file, "--plan", "-o", "json")
				p.run(l.code, "run", file)
				p.look()
			}
			p.run(0, "inbox")
			p.run(0, "inbox", "-o", "json")
			for _, id := range strings.Fields(h.Run("inbox", "-o", "name").Out) {
				p.run(0, "inbox", "show", id)
			}
			p.run(0, "runs", "list")
			p.run(0, "runs", "verify", "--all")
			p.run(0, "backup", filepath.Join(h.Dir, "backup"))
			p.run(0, "restore", filepath.Join(h.Dir, "backup"), "--data-dir", filepath.Join(h.Dir, "restored"))
			p.run(-1, "doctor")
			p.run(-1, "lint", ".")
			if n := scan(t, filepath.Dir(h.Dir), []canary{c}, keep...); n < 20 {
				t.Errorf("only %d files were searched", n)
			}
		})
	}
}

type planted struct {
	t *testing.T
	h *tend.House
	c []canary
}

// run runs a command that must end with the code (any, if it is negative) and show nothing of the secret.
func (p planted) run(code int, args ...string) tend.Result {
	p.t.Helper()
	r := p.h.Run(args...)
	if code >= 0 && r.Code != code {
		p.t.Errorf("%s\nnot %d", r, code)
	}
	for _, c := range p.c {
		for _, f := range c.in([]byte(r.All())) {
			p.t.Errorf("tend %s shows a secret: %s", strings.Join(args, " "), f)
		}
	}
	return r
}

// look looks at the newest run in every way.
func (p planted) look() {
	p.t.Helper()
	html := filepath.Join(p.h.Dir, "export.html")
	for _, args := range [][]string{
		{"show", "last", "-i", "-t"},
		{"show", "last", "-o", "json"},
		{"logs", "last"},
		{"logs", "last", "-o", "json"},
		{"explain", "last"},
		{"export", "last", "--json"},
	} {
		p.run(0, append([]string{"runs"}, args...)...)
	}
	r := p.run(0, "runs", "export", "last", "--html")
	if err := os.WriteFile(html, []byte(r.Out), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// plant makes the secret proof/token known to a provider, and gives the files in which it may stand.
func plant(t *testing.T, h *tend.House, provider, text string) []string {
	t.Helper()
	switch provider {
	case "env":
		h.Set("TEND_SECRET_PROOF_TOKEN", text)
		return nil
	case "file":
		dir := filepath.Join(h.Home, "secrets")
		if err := os.MkdirAll(filepath.Join(dir, "proof"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "proof", "token"), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.Set("TEND_SECRETS_DIR", dir)
		return []string{dir}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(h.Home, "key.txt")
	if err := os.WriteFile(key, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(h.Home, "secrets.yaml.age")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := age.Encrypt(f, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(w, "proof: {token: '%s'}\n", text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	h.Set("TEND_SECRETS_AGE", name)
	h.Set("TEND_SECRETS_IDENTITY", key)
	return nil
}

// TestSensitive: what a step makes and its module calls sensitive, and what is given as a sensitive parameter.
func TestSensitive(t *testing.T) {
	t.Parallel()
	h := tend.New(t)
	made, given := newCanary("Ma7+de/by-a=step&x?"), newCanary("Gi7+ven/as-a=param&x?")
	dir := filepath.Join(h.Home, "outside")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "made"), []byte(made.text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Write("given.yaml", `
apiVersion: tend/v1
kind: Playbook
metadata: {name: given}
parameters: [{name: word, type: string, sensitive: true, description: A word.}]
steps:
  - id: use
    uses: shell
    effect: read
    env: {WORD: '{{ $.params.word }}'}
    with: {script: 'echo "it is $WORD"; echo "$WORD" >&2'}
  - {uses: log, with: {message: '{{ $.steps.use.stdout }}'}}
  - {uses: fail, with: {message: 'no {{ $.steps.use.stdout }}'}}
`)
	h.Write("made.yaml", `
apiVersion: tend/v1
kind: Playbook
metadata: {name: made}
steps:
  - {id: m, uses: proof/make, with: {file: `+filepath.Join(dir, "made")+`, code: 0}}
  - {uses: proof/make, ignoreFailure: true, with: {file: `+filepath.Join(dir, "made")+`, code: 3}}
  - id: use
    uses: shell
    effect: idempotent
    env: {TOKEN: '{{ $.steps.m.token }}', URL: 'http://{{ $.steps.m.token | urlquery }}@host'}
    with: {script: 'echo "it is $TOKEN at $URL" | tee /dev/stderr; printf %s "$TOKEN" | base64; cp `+filepath.Join(dir, "made")+` "$TEND_WORK/kept.txt"'}
    artifacts: ['*.txt']
    verify: {uses: shell, env: {TOKEN: '{{ $.steps.m.token }}'}, with: {script: 'echo "$TOKEN"'}, until: result.value != ""}
    undo: {uses: shell, effect: idempotent, env: {TOKEN: '{{ $.steps.m.token }}'}, with: {script: 'echo "back $TOKEN"; exit 3'}}
  - {uses: log, with: {message: '{{ $.steps.use.stdout }}'}}
  - id: sub
    uses: playbook
    with: {name: handed, params: {auth: 'x {{ $.steps.m.token }}'}}
  - uses: shell
    effect: read
    env: {TOKEN: '{{ $.steps.sub.again }}'}
    with: {script: 'echo "{$TOKEN"', parse: json}
---
apiVersion: tend/v1
kind: Playbook
metadata: {name: handed}
parameters: [{name: auth, type: string, sensitive: true, description: A token.}]
steps:
  - id: own
    uses: proof/make
    with: {file: `+filepath.Join(dir, "made")+`, code: 0}
  - foreach:
      range: [0, 3]
      value: i
      parallel: 2
      steps:
        - uses: shell
          effect: read
          env: {A: '{{ $.i }} {{ $.params.auth }}', B: '{{ $.steps.own.token }}'}
          with: {script: 'echo "$A $B"; [ "${A#* x }" = "$B" ]'}
outputs:
  - {name: again, type: string, sensitive: true, value: '{{ $.params.auth }}', description: It.}
---
apiVersion: tend/v1
kind: Step
metadata: {name: proof/make}
inputs:
  - {name: file, type: string, description: A file.}
  - {name: code, type: number, description: How it ends.}
effect: read
run:
  uses: shell
  env: {FILE: '{{ $.params.file }}', CODE: '{{ $.params.code }}'}
  with: {script: 'cat "$FILE"; exit $CODE'}
outputs:
  - {name: token, type: string, sensitive: true, value: result.value, description: A token.}
  - {name: size, type: number, value: 'size(result.value)', description: Its length.}
`)
	p := planted{t, h, []canary{made, given}}
	p.run(1, "run", "given.yaml", "-p", "word="+given.text)
	p.look()
	p.run(0, "run", "made", "--plan")
	p.run(1, "run", "made") // its last step cannot read what it prints
	p.look()
	p.run(1, "runs", "retry", "last")
	p.look()
	p.run(1, "runs", "rollback", "last")
	p.look()
	for _, run := range []struct {
		code  int
		steps string
	}{
		{6, `
  - uses: shell
    approval: {message: Really?}
    env: {TOKEN: '{{ $.steps.m.token }}', WORD: '{{ $.params.word }}'}
    with: {script: 'echo "$TOKEN $WORD"'}`},
		{7, `
  - uses: shell
    timeout: 300ms
    env: {TOKEN: '{{ $.steps.m.token }}', WORD: '{{ $.params.word }}'}
    with: {script: 'echo "begun with $TOKEN $WORD"; sleep 30', grace: 100ms}`},
		{1, `
  # tend:allow secret-exposed it must be masked
  - {uses: assert, with: {that: 'params.word == "other"', message: 'not {{ $.params.word }}'}}`},
		{1, `
  - foreach:
      in: '{{ splitList "+" $.params.word }}'
      value: part
      steps: [{uses: shell, effect: read, env: {P: '{{ $.part }}{{ $.params.word }}'}, with: {script: 'echo "$P"; echo "$P" > "$TEND_WORK/kept.txt"'}, artifacts: ['*.txt']}]
  # tend:allow secret-exposed it must be masked
  - {uses: wait, with: {duration: '{{ $.params.word }}'}}`},
		{1, `
  - when: int(params.word) > 3
    uses: log
    with: {message: x}`},
		{1, `
  # tend:allow secret-exposed it must be masked
  - {uses: replace, with: {text: '{{ $.params.word }}', find: 'a', with: '['}}
  # tend:allow secret-exposed it must be masked
  - {uses: transform, with: {data: '{{ $.params }}', query: '.word | tonumber'}}`},
	} {
		h.Write("both.yaml", "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: both}\n"+
			"parameters: [{name: word, type: string, sensitive: true, description: A word.}]\nsteps:\n"+
			"  - {id: m, uses: proof/make, with: {file: "+filepath.Join(dir, "made")+", code: 0}}"+run.steps+"\n")
		p.run(run.code, "run", "both", "-p", "word="+given.text)
		p.look()
		for _, id := range strings.Fields(h.Run("inbox", "-o", "name").Out) {
			p.run(0, "inbox", "show", id)
		}
	}
	p.run(0, "backup", filepath.Join(h.Dir, "backup"))
	scan(t, filepath.Dir(h.Dir), []canary{made, given}, dir)
}

// TestPlantedPassword: a database's password, and what its server says about it.
func TestPlantedPassword(t *testing.T) {
	t.Parallel()
	s := postgres.Start(t)
	h := tend.New(t)
	h.Set("TEND_SECRET_DB_PASSWORD", s.Password)
	h.Set("TEND_SECRET_DB_URL", s.URL("postgres"))
	wrong, value := newCanary("Wrong+pass/word=7&9"), newCanary("Va7+lue/of-a=row&x?")
	h.Set("TEND_SECRET_DB_WRONG", wrong.text)
	h.Set("TEND_SECRET_DB_VALUE", value.text)
	all := []canary{newCanary(s.Password), wrong, value}
	p := planted{t, h, all}
	for i, step := range []struct {
		code int
		with string
	}{
		{0, `password: '{{ secret "db/password" }}', query: 'select 1'`},
		{1, `password: '{{ secret "db/wrong" }}', query: 'select 1'`},
		{0, `password: '{{ secret "db/password" }}', query: 'select $1::text as a, md5($1) as b', params: ['{{ secret "db/value" }}']`},
		{1, `password: '{{ secret "db/password" }}', query: 'select $1::text::int', params: ['{{ secret "db/value" }}']`},
	} {
		file := fmt.Sprintf("sql-%d.yaml", i)
		h.Write(file, fmt.Sprintf("apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: sql}\nsteps:\n  - uses: sql\n    effect: read\n"+
			"    with: {host: %s, port: %d, user: %s, %s}\n", s.Host, s.Port, s.User, step.with))
		p.run(step.code, "run", file)
		p.look()
	}
	h.Write("url.yaml", "apiVersion: tend/v1\nkind: Playbook\nmetadata: {name: sql}\nsteps:\n  - uses: sql\n    effect: read\n"+
		"    with: {url: '{{ secret \"db/url\" }}', query: 'select nothing'}\n")
	p.run(1, "run", "url.yaml")
	p.look()
	scan(t, filepath.Dir(h.Dir), all)
}
