package wire

import "github.com/tendhq/tend/internal/entry"

// Assign says who is expected to see to a task.
type Assign struct {
	To  string `json:"to,omitempty" doc:"A person or a group: user:ada@example.org, ada@example.org, group:sre, oncall/database. Empty: nobody." maxLength:"200"`
	Why string `json:"why,omitempty" maxLength:"1000"`
}

// Claim says that the asker sees to a task.
type Claim struct {
	Take bool   `json:"take,omitempty" doc:"Also when somebody else sees to it."`
	Why  string `json:"why,omitempty" maxLength:"1000"`
}

// Delegate lets others answer a task in the asker's place, once.
type Delegate struct {
	To  []string `json:"to" doc:"People and groups, one of whom may answer." maxItems:"20" minItems:"1"`
	Why string   `json:"why,omitempty" maxLength:"1000"`
}

// AddLink puts a link beside a task.
type AddLink struct {
	Name string `json:"name,omitempty" maxLength:"200"`
	URL  string `json:"url" doc:"The address of a page." maxLength:"4000"`
}

// Entry gives the link as it is recorded.
func (l AddLink) Entry() entry.Link { return entry.Link{Name: l.Name, URL: l.URL} }

// BreakGlass approves a task alone.
type BreakGlass struct {
	Why string `json:"why" doc:"The reason. It is told to everybody, and somebody else looks at it afterwards." maxLength:"1000" minLength:"1"`
}
