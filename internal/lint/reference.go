package lint

import (
	"fmt"
	"strings"

	"github.com/tendhq/tend/internal/document"
)

// Reference is docs/lint.md: the table of rules for people.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# What ` + "`tend lint`" + ` finds

<!-- Written by go test ./internal/lint -update from the table of rules. -->

` + "`tend lint`" + ` reads documents, compiles them, and looks for what surely is not meant. Everything is reported at once, in the
order of the file, with the place, the line and what to do. An **error** keeps a document from running; a **warning** and
an **advice** do not. Documents of the older dialect (` + "`stackpulse.io/v1`" + `) ran in their day and run as they stand: much of
what is an error in ` + "`tend/v1`" + ` is a warning there.

Output: ` + "`-o text`" + ` (default), ` + "`-o json`" + `, ` + "`-o sarif`" + ` (SARIF 2.1.0, for code scanning and editors), ` + "`-o github`" + ` (annotations
in GitHub Actions). The exit code is 3 when there is a warning or an error; ` + "`--fail-on`" + ` moves that line.

## Allowing what is meant

    - uses: shell # tend:allow no-verify the next step looks at it
    # tend:allow no-target the script finds its targets itself
    - uses: shell

A comment ` + "`# tend:allow RULE REASON`" + ` silences one rule: at the end of a line, on that line; on a line of its own, on the
next one; at the head of a step, in the whole step. The reason is not optional. A comment without one, of an unknown
rule, or that silences nothing is a finding itself. Rules marked *fixed* cannot be silenced: without them the document
could not be read or compiled.

A secret that stands in a document is never printed again: findings show stars in its place.

## The rules

| rule | tend/v1 | stackpulse.io/v1 | |
|---|---|---|---|
`)
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", r.Name, r.Name, dash(r.Strict), dash(r.Lenient), fixed(r))
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n### %s\n\n%s %s\n", r.Name, r.Finds, r.Remedy)
	}
	return b.String()
}

func dash(s document.Severity) string {
	if s == off {
		return "–"
	}
	return string(s)
}

func fixed(r Rule) string {
	if r.Fixed {
		return "fixed"
	}
	return ""
}
