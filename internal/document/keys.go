package document

// Head is the keys that every document has, in the canonical order.
var Head = Table{
	{"apiVersion", FormText, "The dialect: tend/v1, or stackpulse.io/v1."},
	{"kind", FormText, "What the document declares: Playbook, Step, Guard, Trigger, Integration or Environment."},
	{"metadata", FormMetadata, "Name, description and the like, for people."},
}

var (
	metadataKeys = Table{
		{"name", FormText, "The name by which it is called."},
		{"description", FormText, "What it is for, in a sentence."},
		{"version", FormText, "Its version."},
		{"owner", FormText, "The team that answers for it."},
		{"labels", FormLabels, "Labels, for guards and lists."},
		{"links", FormLinks, "Addresses worth knowing: run books, dashboards."},
	}
	linkKeys = Table{
		{"title", FormText, "What is there."},
		{"url", FormText, "The address."},
	}
)
