package guard

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/tendhq/tend/internal/calendar"
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/value"
)

// Definition is the kind Guard, with a *Spec as its content.
func Definition() document.Definition {
	return document.Definition{Kind: document.KindGuard, Keys: keys, Forms: forms, Read: read}
}

// The forms of the maps of a guard.
const (
	FormSelect      document.Form = "select"
	FormCooldown    document.Form = "cooldown"
	FormRate        document.Form = "rate"
	FormSpread      document.Form = "spread"
	FormShare       document.Form = "share"
	FormFreeze      document.Form = "freeze"
	FormWindow      document.Form = "window"
	FormWindows     document.Form = "window[]"
	FormBreaker     document.Form = "breaker"
	FormAsk         document.Form = "guard-approval"
	FormChange      document.Form = "change"
	FormConcurrency document.Form = "guard-concurrency"
	FormStandDown   document.Form = "stand-down"
)

func forms(f document.Form, _ expr.Dialect) document.Table { return tables[f] }

// Needs lists the keys that a map of a guard must have, by its form.
func Needs(f document.Form) []any { return value.Texts(needs[f]) }

// RuleKeys lists the keys of which a guard has one.
func RuleKeys() []string { return rules.Names() }

var (
	rules = document.Table{
		document.Def("cooldown", FormCooldown, "Leave a target alone for a time after an effect on it."),
		document.Def("rate", FormRate, "So many effects within a time."),
		document.Def("spread", FormSpread, "So many different targets within a time."),
		document.Def("share", FormShare, "Such a part of a group within a time. `select.targets` names the group."),
		document.Def("freeze", FormFreeze, "Times in which nothing may change."),
		document.Def("breaker", FormBreaker, "Stop trying when runs fail, or do not help."),
		document.Def("approval", FormAsk, "Ask a person: always, above a number of targets, or before what cannot be undone."),
		document.Def("change", FormChange, "Want an approved change that covers the effect."),
		document.Def("concurrency", FormConcurrency, "So many runs at once."),
		document.Def("standDown", FormStandDown, "Hold back when an alarm is about more than one repair, or when nobody can see."),
	}
	specKeys = slices.Concat(document.Table{
		document.Def("select", FormSelect, "Which effects, or runs of which playbooks, the guard is about."),
	}, rules, document.Table{
		document.Def("then", document.FormText, "hold: wait until it may (default). deny: fail the step. ask: a person decides."),
	})
	keys = document.Head.With(slices.Concat(specKeys, document.Table{
		document.Def("spec", document.FormPlain, "The same keys one level deeper."),
	}))
	tables = map[document.Form]document.Table{
		FormSelect: {
			document.Def("playbooks", document.FormTexts, "Globs of the names of playbooks."),
			document.Def("environments", document.FormTexts, "Globs of the names of environments."),
			document.Def("labels", document.FormLabels, "Labels that the playbook must have."),
			document.Def("actions", document.FormTexts, "Globs of the names of actions."),
			document.Def("except", document.FormTexts, "Globs of the names of actions that are not meant."),
			document.Def("effects", document.FormTexts, "Effects; without it mutate."),
			document.Def("targets", document.FormTexts, "Globs of targets."),
		},
		FormCooldown: {
			document.Def("every", document.FormDuration, "How long a target is left alone."),
			document.Def("per", document.FormText, "target (default) or playbook."),
		},
		FormRate: {
			document.Def("limit", document.FormCount, "How many effects."),
			document.Def("within", document.FormDuration, "Within which time."),
			document.Def("per", document.FormText, "What is counted apart: guard (default: nothing), target, playbook, action, run."),
		},
		FormSpread: {
			document.Def("limit", document.FormCount, "How many different targets."),
			document.Def("within", document.FormDuration, "Within which time."),
			document.Def("per", document.FormText, "What is counted apart: playbook (default), run, guard."),
		},
		FormShare: {
			document.Def("percent", document.FormCount, "Which part of the group. One target may always be touched."),
			document.Def("size", document.FormCount, "How many there are in the group. Or:"),
			document.Def("members", document.FormTexts, "Who is in the group: targets. Only they count then. Or:"),
			document.Def("group", document.FormText, "Its name: the environment says below `groups` who is in it."),
			document.Def("within", document.FormDuration, "Within which time."),
		},
		FormFreeze: {
			document.Def("windows", FormWindows, "Stretches of time, once or every week."),
			document.Def("calendar", document.FormText, "A file beside the guard, in the format iCalendar: its events are windows."),
			document.Def("zone", document.FormText, "The time zone, as in Europe/Berlin. Default: UTC."),
		},
		FormWindow: {
			document.Def("from", document.FormText, "Fri 17:00, 2026-12-20 or 2026-12-20T17:00."),
			document.Def("to", document.FormText, "The same form. A day alone is the end of that day."),
			document.Def("why", document.FormText, "For whoever is held back."),
		},
		FormBreaker: {
			document.Def("failures", document.FormCount, "So many runs that failed, or whose verification did not hold."),
			document.Def("within", document.FormDuration, "Within which time."),
			document.Def("open", document.FormDuration, "How long nothing is tried then."),
			document.Def("again", document.FormDuration, "The same key again so soon after a success counts as a failure."),
			document.Def("per", document.FormText, "What is counted apart: playbook (default), key, guard."),
		},
		FormAsk: {
			document.Def("above", document.FormCount, "Only above so many targets."),
			document.Def("irreversible", document.FormBool, "Only before what cannot be undone."),
		},
		FormChange: {
			document.Def("required", document.FormBool, "true."),
		},
		FormConcurrency: {
			document.Def("limit", document.FormCount, "How many runs."),
			document.Def("per", document.FormText, "What is counted apart: playbook (default), key, guard."),
			document.Def("then", document.FormText, "queue: wait for the one before (default). skip: leave it out. replace: cancel the oldest."),
		},
		FormStandDown: {
			document.Def("alarms", document.FormCount, "More than so many different alarms of one name. Or:"),
			document.Def("percent", document.FormCount, "Alarms of one name about more than such a part of a group: with `size`, `members` or `group`, as of `share`."),
			document.Def("size", document.FormCount, "How many there are in the group."),
			document.Def("members", document.FormTexts, "Who is in the group, as `host:web-3`: alarms about others do not count."),
			document.Def("group", document.FormText, "Its name, as of `share`."),
			document.Def("by", document.FormText, "The label that says what an alarm is about. Without it the key of the trigger: what is one repair is one alarm."),
			document.Def("within", document.FormDuration, "Within which time."),
			document.Def("for", document.FormDuration, "How long to stand down. Default: as `within`."),
			document.Def("blind", document.FormDuration, "What watches monitoring (an expected event) has been silent for so long."),
		},
	}
	needs = map[document.Form][]string{
		FormCooldown: {"every"}, FormRate: {"limit", "within"}, FormSpread: {"limit", "within"}, FormShare: {"percent", "within"},
		FormWindow: {"from", "to"}, FormBreaker: {"failures", "within", "open"}, FormChange: {"required"}, FormConcurrency: {"limit"},
	}
)

// counts is the largest number that a guard counts to: beyond it nobody means a limit.
const counts = 100_000

func read(r *document.Reader, d *document.Document) any {
	g := &Spec{Then: string(Hold)}
	var found []document.Key
	var then, about document.Key
	take := func(k document.Key) {
		switch k.Name {
		case "select":
			g.Select, about = selection(r, k), k
			return
		case "then":
			g.Then, then = r.OneOf(k, string(Hold), string(Deny), string(Ask)), k
			return
		}
		found = append(found, k)
		rule(r, g, k)
	}
	at := d.Object
	r.Body(d, keys, "a guard", func(k document.Key) {
		if k.Name != "spec" {
			take(k)
			return
		}
		if o, ok := r.Object(k.Value, "`spec`"); ok {
			r.Each(&o, specKeys, "`spec` of a guard", take)
			at = o
		}
	})
	switch {
	case len(found) == 0 && at.Node != nil:
		r.Fail(document.RuleMissing, at.Node, "add one of: "+strings.Join(rules.Names(), ", "), "a guard has no rule")
	case len(found) > 1:
		r.Fail(document.RuleValue, found[1].Node, "make a guard of its own for each", "a guard has one rule, and this one has `%s` and `%s`", found[0].Name, found[1].Name)
	default:
		idle(r, g, then, about)
	}
	g.Name = d.Metadata.Name
	return g
}

// idle refuses what the rule of g would not look at: somebody would rely on it.
func idle(r *document.Reader, g *Spec, then, about document.Key) {
	switch {
	case g.Approval != nil && g.Then == string(Deny):
		r.Fail(document.RuleValue, then.Value, "leave `then` away", "`approval` always asks a person: it denies nothing")
	case g.Concurrency != nil && then.Value != nil:
		r.Fail(document.RuleValue, then.Value, "say it in `concurrency`: {then: queue}, skip or replace", "`concurrency` is about runs, and `then` about effects")
	}
	if s := &g.Select; g.Concurrency != nil && len(s.Actions)+len(s.Effects)+len(s.Except)+len(s.Targets) > 0 {
		r.Fail(document.RuleValue, about.Value, "select `playbooks`, `labels` or `environments`", "`concurrency` is about runs: what they do is not known yet when they begin")
	}
}

func rule(r *document.Reader, g *Spec, k document.Key) {
	switch k.Name {
	case "cooldown":
		g.Cooldown = &Cooldown{}
		part(r, k, FormCooldown, func(k document.Key) {
			switch k.Name {
			case "every":
				g.Cooldown.Every = long(r, k)
			case "per":
				g.Cooldown.Per = per(r, k, PerTarget, PerPlaybook)
			}
		})
	case "rate":
		g.Rate = &Rate{}
		part(r, k, FormRate, func(k document.Key) {
			switch k.Name {
			case "limit":
				g.Rate.Limit = r.Count(k, 1, counts)
			case "within":
				g.Rate.Within = long(r, k)
			case "per":
				g.Rate.Per = per(r, k, PerGuard, PerTarget, PerPlaybook, PerAction, PerRun)
			}
		})
	case "spread":
		g.Spread = &Spread{}
		part(r, k, FormSpread, func(k document.Key) {
			switch k.Name {
			case "limit":
				g.Spread.Limit = r.Count(k, 1, counts)
			case "within":
				g.Spread.Within = long(r, k)
			case "per":
				g.Spread.Per = per(r, k, PerPlaybook, PerRun, PerGuard)
			}
		})
	case "share":
		share(r, g, k)
	case "freeze":
		freeze(r, g, k)
	case "breaker":
		g.Breaker = &Breaker{}
		part(r, k, FormBreaker, func(k document.Key) {
			switch k.Name {
			case "failures":
				g.Breaker.Failures = r.Count(k, 1, counts)
			case "within":
				g.Breaker.Within = long(r, k)
			case "open":
				g.Breaker.Open = long(r, k)
			case "again":
				g.Breaker.Again = long(r, k)
			case "per":
				g.Breaker.Per = per(r, k, PerPlaybook, PerKey, PerGuard)
			}
		})
	case "approval":
		g.Approval = &Approval{}
		part(r, k, FormAsk, func(k document.Key) {
			switch k.Name {
			case "above":
				g.Approval.Above = r.Count(k, 1, counts)
			case "irreversible":
				g.Approval.Irreversible = r.Bool(k)
			}
		})
	case "change":
		g.Change = &Change{}
		part(r, k, FormChange, func(k document.Key) {
			if g.Change.Required = r.Bool(k); !g.Change.Required {
				r.Fail(document.RuleValue, k.Value, "write true, or remove the guard", "a guard that wants no change holds nothing")
			}
		})
	case "concurrency":
		g.Concurrency = &Concurrency{}
		part(r, k, FormConcurrency, func(k document.Key) {
			switch k.Name {
			case "limit":
				g.Concurrency.Limit = r.Count(k, 1, counts)
			case "per":
				g.Concurrency.Per = per(r, k, PerPlaybook, PerKey, PerGuard)
			case "then":
				g.Concurrency.Then = r.OneOf(k, "queue", "skip", "replace")
			}
		})
	case "standDown":
		standDown(r, g, k)
	}
}

func share(r *document.Reader, g *Spec, k document.Key) {
	s := &Share{}
	g.Share = s
	o := part(r, k, FormShare, func(k document.Key) {
		switch k.Name {
		case "percent":
			s.Percent = r.Count(k, 1, 100)
		case "size":
			s.Size = r.Count(k, 1, 10*counts)
		case "members":
			s.Members = Members(r, k)
		case "group":
			s.Group = r.Fixed(k)
		case "within":
			s.Within = long(r, k)
		}
	})
	sized(r, &o, "share")
}

// Members reads who is in a group: each a target, none of them a pattern, because they are counted.
func Members(r *document.Reader, k document.Key) []string {
	var out []string
	r.Texts(k, func(n *yaml.Node, t string) {
		switch {
		case strings.ContainsAny(t, "*?"):
			r.Fail(document.RuleValue, n, "write each of them", "`%s` is a pattern: who is in a group is counted", t)
		case slices.Contains(out, t):
			r.Fail(document.RuleValue, n, "remove one", "`%s` is in the group twice", t)
		}
		out = append(out, t)
	})
	return out
}

// sized wants one of the three ways to say how many there are in a group.
func sized(r *document.Reader, o *document.Object, what string) {
	if o.Node == nil {
		return
	}
	var given []document.Key
	for _, name := range []string{"size", "members", "group"} {
		if k, ok := o.Key(name); ok {
			given = append(given, k)
		}
	}
	switch {
	case len(given) == 0:
		r.Fail(document.RuleMissing, o.Node, "add `size`, `members` or `group`", "`%s` does not say how many there are in the group", what)
	case len(given) > 1:
		r.Fail(document.RuleValue, given[1].Node, "leave one of them", "`%s` says by `%s` and by `%s` how many there are in the group", what, given[0].Name, given[1].Name)
	}
}

func freeze(r *document.Reader, g *Spec, k document.Key) {
	f := &Freeze{}
	g.Freeze = f
	var windows []document.Key
	o := part(r, k, FormFreeze, func(k document.Key) {
		switch k.Name {
		case "zone":
			f.Zone = r.Fixed(k)
		case "calendar":
			if f.Calendar = r.Fixed(k); strings.HasPrefix(f.Calendar, "/") || slices.Contains(strings.Split(f.Calendar, "/"), "..") {
				r.Fail(document.RuleValue, k.Value, "put the file beside the guard", "the calendar %q leads out of the repository", f.Calendar)
			}
		case "windows":
			items, _ := r.List(k.Value, "`windows`")
			for _, n := range items {
				windows = append(windows, document.Key{Name: "windows", Node: n, Value: n})
			}
		}
	})
	for _, k := range windows {
		var w Window
		part(r, k, FormWindow, func(k document.Key) {
			switch k.Name {
			case "from":
				w.From = r.Fixed(k)
			case "to":
				w.To = r.Fixed(k)
			case "why":
				w.Why = r.Fixed(k)
			}
		})
		if w.From != "" && w.To != "" {
			if _, err := calendar.ParseWindow(w.From, w.To, f.Zone); err != nil {
				r.Fail(document.RuleValue, k.Value, "write Fri 17:00, 2026-12-20 or 2026-12-20T17:00", "%s", err)
			}
		}
		f.Windows = append(f.Windows, w)
	}
	if o.Node != nil && len(f.Windows) == 0 && f.Calendar == "" {
		r.Fail(document.RuleMissing, o.Node, "add `windows` or `calendar`", "`freeze` says no time")
	}
}

func standDown(r *document.Reader, g *Spec, k document.Key) {
	s := &StandDown{}
	g.StandDown = s
	o := part(r, k, FormStandDown, func(k document.Key) {
		switch k.Name {
		case "alarms":
			s.Alarms = r.Count(k, 1, counts)
		case "percent":
			s.Percent = r.Count(k, 1, 100)
		case "size":
			s.Size = r.Count(k, 1, 10*counts)
		case "members":
			s.Members = Members(r, k)
		case "group":
			s.Group = r.Fixed(k)
		case "by":
			s.By = r.Fixed(k)
		case "within":
			s.Within = long(r, k)
		case "for":
			s.For = long(r, k)
		case "blind":
			s.Blind = long(r, k)
		}
	})
	switch {
	case o.Node == nil:
	case !o.Has("alarms") && !o.Has("percent") && !o.Has("blind"):
		r.Fail(document.RuleMissing, o.Node, "add `alarms` or `percent` with `within`, or `blind`", "`standDown` says not when")
	case o.Has("percent"):
		sized(r, &o, "standDown")
		if !o.Has("within") {
			r.Must(&o, "within", "`standDown` with `percent`")
		}
	case o.Has("size"), o.Has("members"), o.Has("group"):
		r.Must(&o, "percent", "`standDown` with a group")
	case o.Has("alarms") && !o.Has("within"):
		r.Must(&o, "within", "`standDown` with `alarms`")
	}
}

// part reads a map of a guard.
func part(r *document.Reader, k document.Key, f document.Form, take func(document.Key)) document.Object {
	o, ok := r.Fields(k, tables[f], take, needs[f]...)
	if !ok {
		return document.Object{}
	}
	return o
}

func per(r *document.Reader, k document.Key, words ...Per) Per {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return Per(r.OneOf(k, texts...))
}

// long reads a duration that must not be nothing.
func long(r *document.Reader, k document.Key) value.Duration {
	d := r.Duration(k)
	if d <= 0 && k.Value.Kind == yaml.ScalarNode && isZero(k.Value.Value) {
		r.Fail(document.RuleValue, k.Value, "", "a time of nothing holds nothing")
	}
	return d
}

func isZero(s string) bool {
	d, err := value.ParseDuration(s)
	return err == nil && d == 0
}

func selection(r *document.Reader, k document.Key) Selection {
	var s Selection
	r.Fields(k, tables[FormSelect], func(k document.Key) {
		switch k.Name {
		case "playbooks":
			s.Playbooks = r.Texts(k)
		case "environments":
			s.Environments = r.Texts(k)
		case "labels":
			s.Labels = r.Labels(k)
		case "actions":
			s.Actions = r.Texts(k)
		case "except":
			s.Except = r.Texts(k)
		case "effects":
			r.Texts(k, func(n *yaml.Node, e string) {
				switch contract.Effect(e) {
				case contract.Read, contract.Idempotent, contract.Mutate:
					s.Effects = append(s.Effects, contract.Effect(e))
				default:
					r.Fail(document.RuleValue, n, "write read, idempotent or mutate", "there is no effect `%s`", e)
				}
			})
		case "targets":
			s.Targets = r.Texts(k)
		}
	})
	return s
}
