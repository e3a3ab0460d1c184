package playbook

import (
	"github.com/tendhq/tend/internal/document"
)

// Definitions are the kinds Playbook and Step, with Documents as their content.
func Definitions() document.Kinds {
	return document.Kinds{
		{Kind: document.KindPlaybook, Keys: playbookKeys, Forms: Forms, Read: func(r *document.Reader, d *document.Document) any { return (&reader{r}).playbook(d) }},
		{Kind: document.KindModule, Keys: moduleKeys, Read: func(r *document.Reader, d *document.Document) any { return (&reader{r}).module(d) }},
	}
}

// Parse reads the playbooks and modules of a file with everything that is wrong with them. Documents of other kinds are
// not looked at.
func Parse(file string, src []byte) ([]*Document, []document.Finding) {
	r := document.NewReader(file, src)
	var docs []*Document
	for d := range r.Documents() {
		switch d.Kind {
		case document.KindPlaybook:
			docs = append(docs, (&reader{r}).playbook(d))
		case document.KindModule:
			docs = append(docs, (&reader{r}).module(d))
		default:
		}
	}
	return docs, r.Findings()
}

// reader reads what is a playbook's own.
type reader struct{ *document.Reader }
