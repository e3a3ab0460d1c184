package lint

import (
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/expr"
)

// Rule is one row of the linter's table: what it is called, how bad it is in each dialect, what it finds and what to do.
// docs/lint.md is made of these rows.
type Rule struct {
	Name    string            `json:"name"`
	Strict  document.Severity `json:"strict,omitempty"`  // in tend/v1; empty: not looked for
	Lenient document.Severity `json:"lenient,omitempty"` // in stackpulse.io/v1
	Finds   string            `json:"finds"`
	Remedy  string            `json:"remedy"`
	// Fixed rules cannot be silenced: what they find keeps the document from being read or compiled.
	Fixed bool `json:"fixed,omitempty"`
}

// hint is the remedy as it stands behind a finding: not a sentence, but a part of one.
func (r Rule) hint() string {
	s := strings.TrimSuffix(r.Remedy, ".")
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// severity of a rule in a dialect.
func (r Rule) severity(d expr.Dialect) document.Severity {
	if d == expr.Lenient {
		return r.Lenient
	}
	return r.Strict
}

// The linter's own rules. Those of reading and compiling stand in package playbook.
const (
	ruleExpression  = "bad-expression"
	ruleFunction    = "unknown-function"
	ruleMixed       = "mixed-expression"
	ruleParameter   = "undeclared-parameter"
	ruleUnused      = "unused-parameter"
	ruleStep        = "undeclared-step"
	ruleName        = "unknown-name"
	ruleOutput      = "unknown-output"
	ruleLater       = "later-step"
	ruleBranch      = "other-branch"
	ruleMaybe       = "maybe-missing"
	ruleEarly       = "maybe-not-reached"
	ruleDuplicate   = "duplicate-id"
	ruleShadow      = "shadowed-name"
	ruleUnreachable = "unreachable"
	ruleBreak       = "break-outside-loop"
	ruleScript      = "template-in-script"
	ruleExposed     = "secret-exposed"
	ruleArguments   = "secret-in-arguments"
	ruleSecretName  = "secret-name-as-value"
	ruleLiteral     = "secret-in-document"
	ruleEntropy     = "looks-like-secret"
	ruleAnswer      = "default-answer"
	ruleDoubt       = "retry-in-doubt"
	ruleVerify      = "no-verify"
	ruleTarget      = "no-target"
	ruleRunner      = "other-runner"
	rulePlaybook    = "unknown-playbook"
	ruleAllow       = "bad-allow"
	ruleNeedless    = "needless-allow"
)

const (
	off     = document.Severity("")
	bad     = document.Error
	warning = document.Warning
	advice  = document.Advice
)

// Rules lists all rules, those of reading and compiling too, in the order of the reference.
func Rules() []Rule {
	return []Rule{
		{document.RuleEncoding, bad, bad, "Bytes that are not UTF-8 text.", "Save the file as UTF-8.", true},
		{document.RuleSize, bad, bad, "A file, a nesting or an expansion of aliases beyond the limits.", "Split the document.", true},
		{document.RuleYAML, bad, bad, "What is not YAML.", "The message names the place.", true},
		{document.RuleTab, bad, bad, "A tab in the indentation.", "Indent with spaces.", true},
		{document.RuleQuote, bad, bad, "A template that begins a value without quotes: to YAML it is a map.", "Quote it: `key: '{{ … }}'`.", true},
		{document.RuleDuplicate, bad, warning, "One key twice in a mapping.", "Remove one of them.", true},
		{document.RuleDocument, bad, bad, "An unknown `apiVersion` or `kind`.", "Begin with `apiVersion: tend/v1` and `kind: Playbook`.", true},
		{document.RuleKey, bad, warning, "A key that means nothing where it stands.", "The nearest known key is suggested.", true},
		{document.RuleMissing, bad, warning, "A key that must be there.", "Write it.", true},
		{document.RuleConflict, bad, bad, "Keys that exclude each other.", "Keep one of them.", true},
		{document.RuleType, bad, warning, "A value of another shape than the key takes.", "The message says what is expected.", true},
		{document.RuleValue, bad, warning, "A value outside of what is allowed.", "The message says what is.", true},
		{document.RuleName, bad, warning, "An id or name that cannot be used.", "The message shows the form.", true},
		{document.RuleTwice, bad, warning, "A parameter, input or output that is declared twice.", "Rename one of them.", true},
		{document.RuleLegacy, warning, warning, "What the older dialect knew and tend reads without effect.", "Remove it.", false},
		{document.RuleAction, bad, warning, "`uses` that names no action, module or verb.", "The nearest known name is suggested.", true},
		{document.RuleModule, bad, bad, "A step module with errors of its own.", "Lint that file.", true},
		{document.RuleRecursion, bad, bad, "A playbook or module that includes itself, directly or over others.", "Break the circle.", true},
		{document.RuleInput, bad, warning, "An input that the action does not have.", "The nearest known input is suggested.", true},
		{document.RuleRequired, bad, warning, "A required input that is not given.", "Give it.", true},
		{document.RuleInputType, bad, warning, "A literal that the input's type cannot take.", "The message says what it takes.", true},
		{document.RuleEnv, bad, warning, "`env` on an action that starts no process.", "Give the data in `with`.", true},
		{document.RuleEffect, bad, warning, "An `effect` on an action whose effect is known for sure.", "Remove it.", true},

		{ruleExpression, bad, bad, "A template or a CEL expression that cannot be compiled.", "Correct it; `tend eval` tries expressions.", true},
		{ruleFunction, bad, bad, "A function that does not exist.", "Use a function of the list in docs/language.md.", true},
		{ruleMixed, bad, warning, "A condition in which templates and CEL are mixed, as in `steps.a.value > {{ .params.b }}`: it would be rendered to a text and never be compared.", "Write all of it in CEL, `steps.a.value > params.b`, or all of it as one template.", false},
		{ruleParameter, bad, warning, "A parameter that is used and not declared.", "Declare it below `parameters:`, or correct the name.", false},
		{ruleUnused, warning, warning, "A parameter that nothing uses.", "Remove it, or use it.", false},
		{ruleStep, bad, warning, "An id that no step has.", "Correct the name, or give the step that id.", false},
		{ruleName, bad, off, "A name that is not part of the data here: a loop variable outside of its loop, `error` outside of a `catch`, a step without `steps.` before it.", "Correct the name.", false},
		{ruleOutput, warning, off, "An output that the step's action does not have.", "Use an output that `tend actions show` lists.", false},
		{ruleLater, bad, warning, "A reference to a step that comes later, or to the step itself.", "Move the step up.", false},
		{ruleBranch, bad, warning, "A reference to a step in another branch of the same `parallel`, which may not have run yet.", "Move the step before the `parallel`, or this one after it.", false},
		{ruleMaybe, bad, warning, "The output of a step that may not have run (its `when` or its block's, a loop without iterations, a `catch`, an ignored failure), used without a default; parts of `error` in a `finally`, which runs when nothing failed, too.", "Use `default`, `coalesce`, `get` or CEL's `has`, or give both steps the same `when`.", false},
		{ruleEarly, warning, warning, "The output of a step of the body, used without a default in its `catch`, `finally` or `stopWhen`: a failure may have come before that step.", "Use `default`, `coalesce`, `get` or CEL's `has`.", false},
		{ruleDuplicate, bad, warning, "Two steps with one id.", "Rename one of them.", false},
		{ruleShadow, warning, warning, "A loop variable or id that hides another name.", "Rename it.", false},
		{ruleUnreachable, warning, warning, "A step that can never run: after a `fail`, with `when: false`, in a loop over nothing.", "Remove it, or the condition.", false},
		{ruleBreak, bad, bad, "`break` outside of a loop.", "Put it into `foreach:`.", true},
		{ruleScript, bad, warning, "A template inside of a script. Scripts are verbatim in tend/v1, so that no data can become code.", "Pass the data by `env` and write `\"$NAME\"`.", false},
		{ruleExposed, bad, warning, "A secret that would be recorded or shown: in an output, a log line, a message, a condition, a target, a script, or an input that comes back as output.", "Use the secret only in `env` and in inputs that are marked as sensitive.", false},
		{ruleArguments, warning, warning, "A secret among the arguments of a program, which every user of its host can read.", "Pass it by `env` or a file.", false},
		{ruleSecretName, warning, warning, "A parameter of type `secret`, which holds the name of a secret, used as if it were the secret.", "Write `{{ secret .params.NAME }}`.", false},
		{ruleLiteral, bad, warning, "A secret that is written into the document: a password or token with a literal value, also in a command of a script (`curl -u user:password`, `PGPASSWORD=…`), a private key, a token of a known shape.", "Store it as a secret, write `{{ secret \"NAME\" }}`, and replace the value: it is in the history now.", false},
		{ruleEntropy, warning, warning, "A long random text that may be a secret.", "If it is one, store it as a secret; else `# tend:allow looks-like-secret` and what it is.", false},
		{ruleAnswer, warning, warning, "A question whose declared default answer leads to a mutation: it happens when nobody answers.", "Let the default be the answer that does nothing.", false},
		{ruleDoubt, warning, warning, "A mutation that is repeated although nobody knows whether it has happened (`onDoubt: retry`).", "Use a probe, or let a person decide (`ask`), or declare `effect: idempotent` if it is.", false},
		{ruleVerify, advice, off, "A mutation without `verify`: nobody looks whether it had its effect.", "Add `verify:` with a step that looks.", false},
		{ruleTarget, warning, off, "A mutation of which nobody can tell what it changes: guards and approvals cannot count it.", "Add `target:`.", false},
		{ruleRunner, warning, warning, "A step that names no `runner` where the others of its kind all do: it would run here, not there.", "Give it the same `runner`.", false},
		{rulePlaybook, bad, warning, "A trigger of a playbook that is not there: no event would start it.", "The nearest known name is suggested.", true},
		{ruleAllow, warning, warning, "A `tend:allow` comment without a reason, or of an unknown rule, or of one that cannot be silenced.", "Write `# tend:allow RULE REASON`.", true},
		{ruleNeedless, warning, warning, "A `tend:allow` comment that silences nothing.", "Remove it.", true},
	}
}

// RuleOf finds a rule by name.
func RuleOf(name string) (Rule, bool) {
	all := Rules()
	i := slices.IndexFunc(all, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return Rule{}, false
	}
	return all[i], true
}
