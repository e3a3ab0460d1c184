package wire

import "github.com/tendhq/tend/internal/audit"

// AuditRecord is an entry of the audit trail: everything that its hashes are made of, and beside it in plain fields what
// people look for.
type AuditRecord audit.Record

// AuditPage is a part of what a search found, the newest first. Damaged tells which streams cannot be read to their end.
type AuditPage struct {
	Damaged []Problem     `json:"damaged"`
	Next    string        `json:"next,omitempty"`
	Records []AuditRecord `json:"records"`
}

// AuditVerified says what was verified of the audit trail. Damaged names the first bad entry of each stream.
type AuditVerified struct {
	Damaged []Problem `json:"damaged"`
	Entries int       `json:"entries"`
	Runs    int       `json:"runs"`
	Streams int       `json:"streams"`
}
