// Package arch_test holds the house rules that a compiler does not check: who may import whom, what pure packages must
// not do, how packages are named, and how large they may grow. Each rule is a table with its reasons; an exception is a
// line in that table, so that it is seen when it is made.
//
// The rules read every Go file, whatever system it is for.
package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/tendhq/tend"

// lines is the order of the house: a package imports only packages of lines above its own. A child of a port (action/http)
// stands with its parent.
var lines = [][]string{
	{ // values, and what every package needs to speak
		"cell",     // text in the cells of a terminal
		"crew",     // goroutines that are kept
		"examples", // the documents of the demonstrations
		"fault",
		"id",
		"spelling", // names as people write them
		"trace",    // where runs stand in traces
		"value",
	},
	{ // what cannot be printed, and who asks
		"access", // who may do what
		"event",  // what comes from outside
		"secret",
		"tally", // what guards counted
		"terminal",
	},
	{ // the languages, and what reads texts
		"calendar",  // what a time belongs to
		"expr",      // templates and logic
		"mask",      // what must not be seen
		"schedule",  // when something is due
		"signature", // who made a message
	},
	{ // the big nouns
		"contract", // what callers and callees owe each other
		"entry",    // facts
	},
	{
		"document", // what is written, with its places
		"program",  // what is run
	},
	{ // the kinds of documents
		"guard",
		"integration",
		"playbook",
		"trigger",
	},
	{
		"environment", // what playbooks are bound to; it knows triggers
	},
	{
		"compiler", // from documents to programs
		"language", // the list of kinds
	},
	{ // what is said and decided about them
		"edit", // how their text changes
		"format",
		"graph",
		"incident",
		"lint",
		"repository",
		"schema",
		"sketch", // the first draft of a playbook
		"task",
	},
	{
		"catalog", // what is live of a repository
	},
	{ // the mind
		"run", // it knows every noun
	},
	{ // the story of a run, for people
		"history", // afterwards
		"plan",    // beforehand
	},
	{
		"draft",  // what is said while it is written
		"panel",  // that story at a glance
		"report", // and as a page
	},
	{ // what steps leave
		"seal",       // secrets
		"transcript", // logs
	},
	{ // how other services are spoken to
		"exchange", // one request, and how it ended
	},
	{
		"oncall", // who has a duty
		"slack",
	},
	{
		"dialog", // forms in Slack
	},
	{ // a port that actions use
		"message", // what is told
	},
	{ // ports
		"action",
		"blob",
		"sink", // where lines of JSON go
		"source",
		"store",
	},
	{ // machines
		"archive",   // reads runs back
		"directory", // the data directory as files
		"git",       // reads repositories
		"ledger",    // writes the server's own streams
		"redact",    // finds a text that must go
		"runner",    // executes attempts
	},
	{
		"audit",    // reads who did what
		"insight",  // adds up what was good for what
		"engine",   // drives runs
		"identity", // who asks
	},
	{
		"news",   // what people are told of
		"outbox", // which message goes next
	},
	{
		"courier",  // tells people
		"dispatch", // decides what becomes of events
		"story",    // reads runs back for people
	},
	{
		"gitsync",   // keeps playbooks live as they are in Git
		"governor",  // holds the rules that are live
		"handover",  // gives what a run made to one person
		"retention", // forgets what is over and old
	},
	{ // surfaces
		"repeat", // requests that come again
		"wire",   // how an engine is spoken to
	},
	{
		"chat", // buttons and commands in Slack
		"client",
		"intake", // lets events in
		"httpapi",
		"telemetry", // what others are told about a server
		"web",       // the page
	},
	{
		"demo", // scenes that show what the program does
	},
	{
		"config", // what can be set; it knows the sections of those above
	},
	{ // wiring
		"app",
	},
	{
		"cli", // commands
	},
	{ // proof
		"bench", // measure it
		"sim",   // break it
	},
	{
		"testenv", // for tests only
	},
}

// children are imports between children of one port. All others do not meet: they are alternatives.
var children = map[string]string{
	"action/container -> action/output":              "what a container prints can be data too",
	"action/container -> action/process":             "docker and podman are programs",
	"action/remote -> action/shell":                  "the same step, in another place",
	"action/remote -> action/ssh":                    "the way there",
	"action/shell -> action/output":                  "what a script prints can be data",
	"action/shell -> action/process":                 "a shell is a program",
	"action/ssh -> action/output":                    "what a remote script prints can be data too",
	"message/issue/issuetest -> message/messagetest": "a stand-in behaves as the suite says",
	"secret/age -> secret/private":                   "an identity is a file that only its owner may read",
	"secret/file -> secret/private":                  "so is a secret",
	"source/grafana -> source/alertmanager":          "Grafana's alerts have Alertmanager's form",
	"store/storetest -> store/faulty":                "the suite injects faults",
	"testenv/postgres -> testenv":                    "a server is a need",
	"testenv/prometheus -> testenv":                  "so are these",
	"testenv/sshd -> testenv":                        "a server is a need",
}

// parts are packages whose children are no alternatives but the layers of one thing, from below to above. The parent is
// the door to them, and nobody else comes in.
var parts = map[string][]string{
	"expr": {"ref", "function", "template", "logic"},
	"cli": {
		"frame", "source", "follow", "start", // what commands are made of
		"audit", "backup", "demo", "events", "govern", "inbox", "incidents", "people", "playbooks", "requests", "runs", "serve", "write", "doctor",
	},
}

// part tells whether a package may import another as layers of one thing.
func part(from, to string) bool {
	layers := parts[top(from)]
	above, below := slices.Index(layers, path.Base(from)), slices.Index(layers, path.Base(to))
	return below >= 0 && (from == top(from) || above > below)
}

// wiring may import the implementations of a port; everybody else gets the port.
var wiring = []string{"app", "bench", "cmd", "sim"}

// pure packages decide and do not do: no I/O, no clock, no randomness, no goroutines. That makes a replay exact.
var pure = []string{
	"access",
	"calendar",
	"catalog",
	"cell",
	"compiler",
	"contract",
	"dialog",
	"document",
	"draft",
	"edit",
	"entry",
	"environment",
	"event",
	"expr",
	"fault",
	"format",
	"graph",
	"guard",
	"history",
	"id",
	"incident",
	"integration",
	"language",
	"lint",
	"mask",
	"news",
	"outbox",
	"panel",
	"plan",
	"playbook",
	"program",
	"run",
	"schedule",
	"schema",
	"signature",
	"sketch",
	"spelling",
	"tally",
	"task",
	"trace",
	"trigger",
	"value",
}

// impure is what pure packages must not import.
var impure = map[string]string{
	"crypto/rand":  "randomness comes as an argument",
	"database/sql": "a store does that",
	"log":          "only machines and surfaces log",
	"log/slog":     "only machines and surfaces log",
	"math/rand":    "randomness comes as an argument",
	"math/rand/v2": "randomness comes as an argument",
	"net":          "an action does that",
	"net/http":     "an action or a surface does that",
	"os":           "files, environment and processes are for implementations of ports",
	"os/exec":      "an action does that",
	"os/signal":    "the command line does that",
	"syscall":      "an implementation of a port does that",
	"testing":      "tests do that",
}

// impureAllowed are exceptions to impure: "package imports path" and why that is still pure.
var impureAllowed = map[string]string{}

// clock are the functions of package time that read the clock or wait. Pure code takes now as an argument.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// goroutines are the pure packages that may start some, and why a replay does not see it.
var goroutines = map[string]string{}

// forbidden are names that hide what a package is for. Undoing one costs weeks, as others of this field have shown.
var forbidden = regexp.MustCompile(`^(base|common|core|helpers?|impl|interfaces?|lib|managers?|misc|models?|processors?|services?|shared|structs?|types?|utils?)$`)

// maxFile and maxPackage bound lines of code, without tests and comments. What outgrows them hides two nouns.
const (
	maxFile    = 600
	maxPackage = 1500
)

// larger are packages that may have more than maxPackage lines, with their bound and the reason.
var larger = map[string]struct {
	lines int
	why   string
}{
	"expr/function": {2200, "some hundred and thirty small functions that share how they read and pay for their arguments"},
	"history":       {1700, "each kind of entry has its words, and each status its sentence"},
	"document":      {1750, "the YAML layer, the reader over it and its shapes of values know the places of everything together"},
	"playbook":      {1950, "two dialects of one language, a third of it tables of keys with their texts"},
	"edit":          {2600, "where things stand in a text, and what each operation does to its lines: they know the places of everything together"},
	"lint":          {2800, "one file for each family of rules; they share the walk over the document"},
	"dispatch":      {2900, "the machine and the shell around it, as in engine: neither may know the other's rules by another door"},
	"guard":         {1700, "each rule has its keys, its reading and its verdict"},
	"engine":        {4600, "the machine and the shell around it, which may not know each other's rules by another door"},
	"run":           {4900, "the mind: each kind of step has its file"},
	"config":        {1650, "what can be set, each setting with the sentence that is its documentation"},
	"client":        {1600, "most of it is generated: a method for each operation of the contract"},
	"app":           {3950, "the wiring: a file for each part that is put together; ARCHITECTURE.md says why together"},
	"httpapi":       {4950, "a file for each noun that can be asked about: its shapes, its routes with what they need, its handlers; ARCHITECTURE.md says why together"},
	"bench":         {1600, "one file for each measure; they share one report"},
	"store/sqlite":  {2100, "one file format: the writer, the readers, backup, verification and the schema know it together"},
}

// file is one parsed Go file.
type file struct {
	path string // from the root of the module
	dir  string // of its package, below internal/; "cmd/…" for commands
	test bool
	ast  *ast.File
	set  *token.FileSet
	size int // lines with code
}

// top is the name under which a package stands in lines: of children that of the port.
func top(dir string) string {
	name, _, _ := strings.Cut(dir, "/")
	return name
}

// testOnly tells packages that only tests import.
func testOnly(dir string) bool { return top(dir) == "testenv" || strings.HasSuffix(dir, "test") }

var parse = sync.OnceValues(func() ([]file, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	root = filepath.Dir(filepath.Dir(root))
	var files []file
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "dist", "testdata", "tools"}, d.Name())) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f := file{path: filepath.ToSlash(rel), test: strings.HasSuffix(rel, "_test.go"), set: token.NewFileSet()}
		f.dir = strings.TrimPrefix(path.Dir(f.path), "internal/")
		f.size = code(src)
		f.ast, err = parser.ParseFile(f.set, f.path, src, parser.ParseComments)
		files = append(files, f)
		return err
	})
	return files, err
})

// code counts the lines that hold more than a comment: explaining oneself is free.
func code(src []byte) int {
	var (
		s    scanner.Scanner
		set  = token.NewFileSet()
		f    = set.AddFile("", -1, len(src))
		seen = map[int]bool{}
	)
	s.Init(f, src, nil, 0)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return len(seen)
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue // the scanner's own
		}
		from := f.Line(pos)
		for i := range 1 + strings.Count(lit, "\n") { // a text may have several lines
			seen[from+i] = true
		}
	}
}

// sources gives all files, or without the tests those that are built into something.
func sources(t *testing.T, tests bool) []file {
	t.Helper()
	files, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d files were found: the root is wrong", len(files))
	}
	return slices.DeleteFunc(slices.Clone(files), func(f file) bool { return f.test && !tests })
}

// inside gives the imports of this module, as they stand in lines.
func (f file) inside() []string {
	var out []string
	for _, i := range f.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			out = append(out, strings.TrimPrefix(rest, "internal/"))
		}
	}
	return out
}

func (f file) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(pos).Line)
}

func TestLayers(t *testing.T) {
	t.Parallel()
	rank := map[string]int{"cmd": len(lines), "arch": len(lines)}
	for i, names := range lines {
		for _, n := range names {
			rank[n] = i
		}
	}
	for _, f := range sources(t, false) {
		from := top(f.dir)
		if _, ok := rank[from]; !ok {
			t.Errorf("%s: package %s has no place in the house: give it a line, with what it is for", f.path, f.dir)
			continue
		}
		for _, to := range f.inside() {
			switch {
			case top(to) == from && part(f.dir, to):
			case top(to) == from && f.dir != to:
				// Within a port: children know their parent, never each other.
				if _, ok := children[f.dir+" -> "+to]; !ok && to != from {
					t.Errorf("%s imports %s: implementations of a port are alternatives and do not meet", f.path, to)
				}
			case testOnly(to) && !testOnly(f.dir):
				t.Errorf("%s imports %s, which is for tests", f.path, to)
			case testOnly(f.dir):
				// What only tests import may import anything.
			case rank[top(to)] >= rank[from]:
				t.Errorf("%s: %s imports %s, which is not above it", f.path, f.dir, to)
			case to != top(to) && !slices.Contains(wiring, from):
				t.Errorf("%s: %s imports the implementation %s; only the wiring picks them", f.path, f.dir, to)
			}
		}
	}
}

func TestPurePackages(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t, false) {
		if _, layered := parts[top(f.dir)]; !slices.Contains(pure, f.dir) && !(layered && slices.Contains(pure, top(f.dir))) {
			continue
		}
		for _, i := range f.ast.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			why, bad := impure[p]
			if _, ok := impureAllowed[f.dir+" imports "+p]; bad && !ok {
				t.Errorf("%s imports %s: %s", f.at(i.Pos()), p, why)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				if _, ok := goroutines[f.dir]; !ok {
					t.Errorf("%s starts a goroutine in a pure package", f.at(x.Pos()))
				}
			case *ast.SelectorExpr:
				if calls(x, "time", clock...) {
					t.Errorf("%s reads the clock in a pure package: take now as an argument", f.at(x.Pos()))
				}
			}
			return true
		})
	}
}

// What a test needs from the machine it asks package testenv for: a test that looks for a program itself is skipped, or looks
// at less, and nobody hears of it.
func TestNeedsAreTold(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t, true) {
		if !strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && mentions(fn, "LookPath") && (strings.HasPrefix(fn.Name.Name, "Test") || mentions(fn, "Skip") || mentions(fn, "Skipf")) {
				t.Errorf("%s: %s looks for a program by itself: ask testenv.Program", f.at(fn.Pos()), fn.Name.Name)
			}
		}
	}
}

// mentions tells whether something of that name is called or named below n.
func mentions(n ast.Node, name string) (yes bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok && x.Sel.Name == name {
			yes = true
		}
		return !yes
	})
	return yes
}

func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t, true) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init acts at a distance; the wiring calls what is to be called", f.at(d.Pos()))
			}
		}
	}
}

// mutable are package variables that change after the program began, and why that is no shared state.
var mutable = map[string]string{
	"value.encoders": "what it holds follows from a type alone: who fills it first makes no difference",
	"value.buffers":  "a pool of memory",
}

// Two engines in one process, and two tests at a time, must not meet: a package variable is a table, or an error, that
// nobody assigns to.
func TestNoMutableGlobals(t *testing.T) {
	t.Parallel()
	globals := map[string]map[string]bool{} // package → names
	for _, f := range sources(t, false) {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for _, n := range v.Names {
					if n.Name == "_" {
						continue
					}
					if globals[f.dir] == nil {
						globals[f.dir] = map[string]bool{}
					}
					globals[f.dir][n.Name] = true
				}
				if _, ok := mutable[f.dir+"."+v.Names[0].Name]; ok {
					continue
				}
				if sel, ok := v.Type.(*ast.SelectorExpr); ok && (calls(sel, "sync", "Mutex", "RWMutex", "Once", "Map", "WaitGroup", "Pool") || calls(sel, "atomic", sel.Sel.Name)) {
					t.Errorf("%s: a %s at the level of the package is shared by all that is in the process", f.at(v.Pos()), sel.Sel.Name)
				}
			}
		}
	}
	for _, f := range sources(t, false) {
		changed := func(e ast.Expr) {
			for {
				switch x := e.(type) {
				case *ast.IndexExpr:
					e = x.X
					continue
				case *ast.SelectorExpr:
					e = x.X
					continue
				case *ast.StarExpr:
					e = x.X
					continue
				case *ast.Ident:
					// An identifier that the parser could resolve within its file is a global only if it is declared at the
					// top; one that it could not is one of another file of the package.
					local := x.Obj != nil && f.ast.Scope.Lookup(x.Name) != x.Obj
					if _, ok := mutable[f.dir+"."+x.Name]; !local && !ok && globals[f.dir][x.Name] {
						t.Errorf("%s changes the package variable %s", f.at(x.Pos()), x.Name)
					}
				}
				return
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.AssignStmt:
				if x.Tok != token.DEFINE {
					for _, l := range x.Lhs {
						changed(l)
					}
				}
			case *ast.IncDecStmt:
				changed(x.X)
			case *ast.CallExpr:
				if id, ok := x.Fun.(*ast.Ident); ok && len(x.Args) > 0 && (id.Name == "delete" || id.Name == "clear") {
					changed(x.Args[0])
				}
			}
			return true
		})
	}
}

// A sleeping test is slow when it passes and wrong when the machine is.
func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t, true) {
		bubble := slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` })
		if !f.test || bubble {
			continue // in a bubble time is fake
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok && calls(x, "time", "Sleep") {
				t.Errorf("%s sleeps outside of a synctest bubble: wait for a condition with a deadline", f.at(x.Pos()))
			}
			return true
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	lower := regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	for _, f := range sources(t, true) {
		name := strings.TrimSuffix(f.ast.Name.Name, "_test")
		if forbidden.MatchString(name) || !lower.MatchString(name) {
			t.Errorf("%s: %q does not say what the package is for; one short singular noun does", f.path, name)
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, f := range sources(t, false) {
		want := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			want = "Command " + path.Base(f.dir) + " "
		}
		ok := f.ast.Doc != nil && strings.HasPrefix(strings.Join(strings.Fields(f.ast.Doc.Text()), " "), want)
		said[f.dir] = said[f.dir] || ok
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("package %s has no comment that says what it decides or does, what it refuses, and what it guarantees", dir)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	sizes := map[string]int{}
	for _, f := range sources(t, false) {
		if f.size > maxFile && !ast.IsGenerated(f.ast) { // what a program wrote nobody has to read
			t.Errorf("%s has %d lines, more than %d: it holds two things", f.path, f.size, maxFile)
		}
		sizes[f.dir] += f.size
	}
	for dir, n := range sizes {
		most := maxPackage
		if l, ok := larger[dir]; ok {
			most = l.lines
		}
		if n > most {
			t.Errorf("package %s has %d lines, more than %d: it hides two nouns", dir, n, most)
		}
	}
}

// Every name in the tables is a package: a table that speaks of what is gone protects nothing.
func TestTablesAreCurrent(t *testing.T) {
	t.Parallel()
	dirs := map[string]bool{}
	for _, f := range sources(t, false) {
		dirs[f.dir] = true
		dirs[top(f.dir)] = true
	}
	check := func(table, name string) {
		if !dirs[name] {
			t.Errorf("%s speaks of package %q, which is not there", table, name)
		}
	}
	for _, l := range lines {
		for _, n := range l {
			check("lines", n)
		}
	}
	for _, n := range pure {
		check("pure", n)
	}
	for n := range larger {
		check("larger", n)
	}
	for parent, layers := range parts {
		for _, l := range layers {
			check("parts", parent+"/"+l)
		}
	}
	for n := range children {
		from, to, _ := strings.Cut(n, " -> ")
		check("children", from)
		check("children", to)
	}
}

// calls tells whether x is one of the functions of a package.
func calls(x *ast.SelectorExpr, pkg string, names ...string) bool {
	id, ok := x.X.(*ast.Ident)
	return ok && id.Name == pkg && slices.Contains(names, x.Sel.Name)
}
