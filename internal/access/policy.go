package access

import (
	"fmt"
	"slices"
	"strings"
)

// Policy says who has which roles. The zero Policy denies everybody but the owner of the data directory.
type Policy struct {
	Bindings []Binding `json:"bindings,omitempty"`
}

// Binding gives a role to some principals, or denies it to them, within some projects and over objects with some labels.
type Binding struct {
	Name     string            `json:"name"`               // for people and the audit
	Subjects []string          `json:"subjects"`           // user:alice@example.org, group:sre, token:ci; user:*@example.org; * is everybody who signed on
	Role     Role              `json:"role"`               //
	Projects []string          `json:"projects,omitempty"` // empty: all
	Labels   map[string]string `json:"labels,omitempty"`   // of the object: all must match; what has no labels is not meant
	Deny     bool              `json:"deny,omitempty"`     // take away what the role may, whoever gives it
}

// Verdict is the answer to a Need.
type Verdict struct {
	Allowed bool
	Why     string   // a sentence, for the audit and for who was refused
	By      string   // the binding that allowed or denied; "" when none did
	Lacks   []Role   // denied for want of one of these
	Groups  []string // of the principal that mattered: who is asked by group
}

// verbs are what each role may. What is not here is not allowed.
func verbs(r Role) []Verb {
	switch r {
	case Viewer:
		return []Verb{View}
	case Breaker:
		return []Verb{View, Break}
	case Operator:
		return []Verb{View, Start, Control, Answer, Write, Halt, Request}
	case Author:
		return []Verb{View, Start, Control, Answer, Write, Halt, Request, Publish}
	case Approver:
		return []Verb{View, Start, Control, Answer, Write, Halt, Request, Approve}
	case Admin:
		return []Verb{View, Start, Control, Answer, Write, Halt, Request, Publish, Approve, Break, Unhalt, Override, Audit, Manage}
	}
	return nil
}

// Roles lists the roles, from the least to the most.
func Roles() []Role { return []Role{Viewer, Breaker, Operator, Author, Approver, Admin} }

// Known tells whether a role exists.
func (r Role) Known() bool { return verbs(r) != nil }

// May tells whether a role allows a verb.
func (r Role) May(v Verb) bool { return slices.Contains(verbs(r), v) }

// Check decides. It is the only place where it is decided: page, API, command line and chat all ask here.
//
// In this order: what is open to everybody; nobody; what is one's own; what is handed over, which no role can take; the bounds
// of a token; the owner of the data directory, who could read and write it anyway; bindings that deny; who an object is for;
// bindings that allow. What is left is denied.
func Check(p Policy, who Principal, n Need) Verdict {
	switch {
	case n.Verb == Nothing:
		return Verdict{Allowed: true, Why: "it is open to everybody"}
	case who.ID == "":
		return Verdict{Why: "nobody is signed on"}
	case n.Verb == Own:
		return Verdict{Allowed: true, Why: "it is about what is their own"}
	case n.Verb == Take && who.Scope != nil:
		return Verdict{Why: "a token with bounds takes nothing that is handed over"}
	case n.Verb == Take && n.For(who):
		return Verdict{Allowed: true, Why: "it is for them"}
	case n.Verb == Take:
		return Verdict{Why: "it is for somebody else"}
	}
	if s := who.Scope; s != nil {
		if len(s.Projects) > 0 && !slices.Contains(s.Projects, n.Project) && !n.list() {
			return Verdict{Why: fmt.Sprintf("the token is not for the project %q", n.Project)}
		}
		if len(s.Roles) > 0 && !slices.ContainsFunc(s.Roles, func(r Role) bool { return r.May(n.Verb) }) {
			return Verdict{Why: fmt.Sprintf("the token may not %s", n.Verb), Lacks: allowing(n.Verb)}
		}
	}
	if who.Local {
		return Verdict{Allowed: true, Why: "the data directory is theirs"}
	}
	allowed := Verdict{Why: "no role allows them to " + n.says(), Lacks: allowing(n.Verb)}
	for _, b := range p.Bindings {
		if !b.Role.May(n.Verb) || !b.covers(n) || !b.names(who) {
			continue
		}
		if b.Deny {
			return Verdict{Why: fmt.Sprintf("the binding %q denies them to %s", b.Name, n.says()), By: b.Name}
		}
		if !allowed.Allowed {
			allowed = Verdict{Allowed: true, Why: fmt.Sprintf("they are %s by the binding %q", b.Role, b.Name), By: b.Name, Groups: who.Groups}
		}
	}
	if n.Verb == Request && !allowed.Allowed {
		allowed.Why = "it is not offered to them"
		if n.For(who) {
			allowed = Verdict{Allowed: true, Why: "it is offered to them", Groups: who.Groups}
		}
	}
	return allowed
}

// Power says where somebody may do something: in every project but Except when All is set, else in Projects. Server says
// that they may also do it to what belongs to no project.
type Power struct {
	Verb     Verb     `json:"verb"`
	All      bool     `json:"all,omitempty" doc:"In every project but those in except."`
	Projects []string `json:"projects,omitempty" doc:"In these."`
	Except   []string `json:"except,omitempty"`
	Server   bool     `json:"server,omitempty" doc:"Also what belongs to no project: the server itself."`
}

// Powers tells what somebody may do, so that they are offered nothing else. What is bound to the labels of objects is left
// out: that is decided for each of them.
func Powers(p Policy, who Principal) []Power {
	named := []string{"default"}
	for _, b := range p.Bindings {
		named = append(named, b.Projects...)
	}
	if who.Scope != nil {
		named = append(named, who.Scope.Projects...)
	}
	slices.Sort(named)
	named = slices.Compact(named)
	may := func(v Verb, project string) bool { return Check(p, who, Need{Verb: v, Project: project}).Allowed }
	var out []Power
	for _, v := range verbs(Admin) {
		w := Power{Verb: v, All: may(v, unnamed), Server: may(v, "")}
		for _, project := range named {
			switch ok := may(v, project); {
			case ok && !w.All:
				w.Projects = append(w.Projects, project)
			case !ok && w.All:
				w.Except = append(w.Except, project)
			}
		}
		if w.All || w.Server || len(w.Projects) > 0 {
			out = append(out, w)
		}
	}
	return out
}

// unnamed stands for every project that no binding names: none can be called so.
const unnamed = "\x00"

// For tells whether the object is for somebody.
func (n Need) For(who Principal) bool {
	return slices.ContainsFunc(n.To, func(s string) bool { return Names(s, who) })
}

func allowing(v Verb) []Role {
	return slices.DeleteFunc(Roles(), func(r Role) bool { return !r.May(v) })
}

func (n Need) says() string {
	s := string(n.Verb)
	if n.Kind != "" {
		s += " " + n.Kind + "s"
	}
	if n.Project != "" {
		s += fmt.Sprintf(" of the project %q", n.Project)
	}
	return s
}

// covers tells whether a binding is about what is needed. A list is of no project: whoever may look at some of it may ask,
// and gets what Look lets them see. Everything else that is of no project is beyond the roles that are bound to
// some, and within what is denied.
func (b Binding) covers(n Need) bool {
	bounded := len(b.Projects) > 0 || len(b.Labels) > 0
	if bounded && n.list() {
		return !b.Deny
	}
	x := Span{Projects: b.Projects, Labels: b.Labels}
	if n.Project == "" && b.Deny {
		x.Projects = nil
	}
	return x.Has(n.Project, n.Labels)
}

// list tells whether it is looking at things of no project: who may see what of them, Look tells.
func (n Need) list() bool { return n.Project == "" && n.Verb == View }

func (b Binding) names(who Principal) bool {
	return slices.ContainsFunc(b.Subjects, func(s string) bool { return Names(s, who) })
}

// Names tells whether a subject is somebody: user:…, group:…, token:…, *.
func Names(subject string, who Principal) bool {
	if group, ok := strings.CutPrefix(subject, "group:"); ok {
		return slices.Contains(who.Groups, group)
	}
	if subject == "*" {
		return who.ID != ""
	}
	// A pattern ends the name or begins it: user:*@example.org, token:ci-*. Elsewhere a star is a star.
	if before, after, ok := strings.Cut(subject, "*"); ok {
		return len(who.ID) >= len(before)+len(after) && strings.HasPrefix(who.ID, before) && strings.HasSuffix(who.ID, after) && strings.Contains(before, ":")
	}
	return who.ID != "" && subject == who.ID
}

// Subject tells what is wrong with the name of a subject; "" when nothing is.
func Subject(s string) string {
	kind, rest, ok := strings.Cut(s, ":")
	switch {
	case s != "*" && (!ok || rest == "" || !slices.Contains([]string{"user", "group", "token", "workload", "os", "run"}, kind)):
		return fmt.Sprintf("%q names nobody; write user:…, group:…, token:… or *", s)
	case strings.Count(s, "*") > 1:
		return fmt.Sprintf("%q has more than one *", s)
	}
	return ""
}

// Problems tells what is wrong with a policy: every problem, by the name of its binding.
func (p Policy) Problems() []string {
	var out []string
	for i, b := range p.Bindings {
		name := b.Name
		if name == "" {
			name = fmt.Sprintf("binding %d", i+1)
			out = append(out, name+" has no name")
		}
		if !b.Role.Known() {
			out = append(out, fmt.Sprintf("%s: there is no role %q; write viewer, breaker, operator, author, approver or admin", name, b.Role))
		}
		if len(b.Subjects) == 0 {
			out = append(out, name+" names nobody")
		}
		for _, s := range b.Subjects {
			if wrong := Subject(s); wrong != "" {
				out = append(out, name+": "+wrong)
			}
		}
	}
	return out
}
