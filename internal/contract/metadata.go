package contract

import "maps"

// Metadata describes a playbook to people.
type Metadata struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Version     string            `json:"version,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Links       []Link            `json:"links,omitempty"`
}

// Data is what expressions see as `metadata`: what is given from outside, and the playbook's own words, which win.
func (m Metadata) Data(given map[string]any) map[string]any {
	out := make(map[string]any, len(given)+5)
	maps.Copy(out, given)
	labels := make(map[string]any, len(m.Labels))
	for k, v := range m.Labels {
		labels[k] = v
	}
	out["name"], out["description"], out["owner"], out["version"], out["labels"] = m.Name, m.Description, m.Owner, m.Version, labels
	return out
}

// Link is a named address in the metadata.
type Link struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}
