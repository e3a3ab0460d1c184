package source

import (
	"github.com/tendhq/tend/internal/cli/frame"
	"github.com/tendhq/tend/internal/document"
	"github.com/tendhq/tend/internal/lint"
)

// ShowFindings prints what is wrong with documents, in the form that was asked for, and how much it is.
func ShowFindings(p *frame.Process, output string, findings []document.Finding, files int) error {
	switch output {
	case frame.AsJSON:
		return lint.JSON(p.Out, findings)
	case "sarif":
		return lint.SARIF(p.Out, findings, frame.ThisVersion().Version)
	case "github":
		return lint.GitHub(p.Out, findings)
	}
	if err := lint.Text(p.Out, findings, p.OutStyle.Colour); err != nil {
		return err
	}
	errors, warnings, advice := lint.Count(findings)
	if len(findings) == 0 {
		p.Talk("%s: nothing to say", frame.Count(files, "document"))
		return nil
	}
	p.Talk("%s: %s, %s, %d of advice", frame.Count(files, "document"), frame.Count(errors, "error"), frame.Count(warnings, "warning"), advice)
	return nil
}
