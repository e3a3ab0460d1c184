package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tendhq/tend/internal/document"
)

// JSON writes findings as one JSON document: {"findings": […], "errors": n, "warnings": n, "advice": n}.
func JSON(w io.Writer, fs []document.Finding) error {
	if fs == nil {
		fs = []document.Finding{}
	}
	out := struct {
		Findings []document.Finding `json:"findings"`
		Errors   int                `json:"errors"`
		Warnings int                `json:"warnings"`
		Advice   int                `json:"advice"`
	}{Findings: fs}
	out.Errors, out.Warnings, out.Advice = Count(fs)
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// GitHub writes findings as workflow commands, which GitHub shows beside the lines of a pull request.
func GitHub(w io.Writer, fs []document.Finding) error {
	// The characters that end a command, its properties or a property.
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range fs {
		command := map[document.Severity]string{document.Error: "error", document.Warning: "warning"}[f.Severity]
		if command == "" {
			command = "notice"
		}
		fmt.Fprintf(&b, "::%s file=%s", command, property.Replace(filepath.ToSlash(f.Place.File)))
		if f.Place.Line > 0 {
			fmt.Fprintf(&b, ",line=%d", f.Place.Line)
		}
		if f.Place.Column > 0 {
			fmt.Fprintf(&b, ",col=%d", f.Place.Column)
		}
		if f.Place.EndColumn > f.Place.Column {
			fmt.Fprintf(&b, ",endColumn=%d", f.Place.EndColumn)
		}
		message := f.Message
		if f.Remedy != "" {
			message += "\n" + f.Remedy
		}
		fmt.Fprintf(&b, ",title=%s::%s\n", property.Replace("tend lint: "+f.Rule), data.Replace(message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The parts of SARIF 2.1.0 that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string      `json:"id"`
		Short   sarifText   `json:"shortDescription"`
		Help    sarifText   `json:"help"`
		HelpURI string      `json:"helpUri"`
		Default sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn,omitempty"`
		EndColumn   int        `json:"endColumn,omitempty"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
)

// home is where the reference of the rules can be read.
const home = "https://github.com/tendhq/tend"

// SARIF writes findings as a SARIF 2.1.0 log with one run, for code-scanning services and editors.
func SARIF(w io.Writer, fs []document.Finding, version string) error {
	rules := Rules()
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "tend", Version: version, InformationURI: home, Rules: []sarifRule{}}
	for _, r := range rules {
		severity := r.Strict
		if severity == off {
			severity = r.Lenient
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: r.Name, Short: sarifText{r.Finds}, Help: sarifText{r.Remedy},
			HelpURI: home + "/blob/main/docs/lint.md#" + r.Name, Default: sarifConfig{level(severity)},
		})
	}
	for _, f := range fs {
		message := f.Message
		if f.Remedy != "" {
			message += " — " + f.Remedy
		}
		r := sarifResult{
			RuleID: f.Rule, RuleIndex: slices.IndexFunc(rules, func(r Rule) bool { return r.Name == f.Rule }), Level: level(f.Severity),
			Message: sarifText{message}, Locations: []sarifLocation{{sarifPhysical{Artifact: sarifArtifact{uri(f.Place.File)}}}},
		}
		if f.Place.Line > 0 {
			region := &sarifRegion{StartLine: f.Place.Line, StartColumn: f.Place.Column}
			if f.Place.EndColumn > f.Place.Column {
				region.EndColumn = f.Place.EndColumn
			}
			if f.SourceLine != "" {
				region.Snippet = &sarifText{f.SourceLine}
			}
			r.Locations[0].Physical.Region = region
		}
		run.Results = append(run.Results, r)
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func level(s document.Severity) string {
	switch s {
	case document.Error:
		return "error"
	case document.Warning:
		return "warning"
	default:
		return "note"
	}
}

// uri writes a path as a relative or file URI.
func uri(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	return strings.TrimPrefix(u.String(), "./")
}
