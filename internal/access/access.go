// Package access decides who may do what: one function for the page, the API, the command line and chat.
//
// Unknown is denied, and deny wins. It is pure: who somebody is (package identity) and what roles are bound (the server's
// configuration and its ledger) come as data.
package access

// Principal is somebody who asks: a person, a service, or a process of this machine. Nothing in it comes from what a
// request says of itself.
type Principal struct {
	ID     string   `json:"id"`               // user:alice@example.org, token:ci, os:root, run:run_…; "" is nobody
	Name   string   `json:"name"`             // for people
	Groups []string `json:"groups,omitempty"` // as its issuer says
	Via    string   `json:"via,omitempty"`    // terminal, inbox, api, page, slack
	From   string   `json:"from,omitempty"`   // address or channel
	Local  bool     `json:"local,omitempty"`  // the owner of the data directory, over its socket
	Scope  *Scope   `json:"scope,omitempty"`  // a token's bounds: it may do less than who it belongs to
}

// Scope narrows what a principal may do, whatever its roles say.
type Scope struct {
	Roles    []Role   `json:"roles,omitempty"`    // no more than these; empty: no limit
	Projects []string `json:"projects,omitempty"` // empty: all of the principal's
}

// Role is a named set of verbs.
type Role string

// The roles. Each may what the ones before it in this list may, except Breaker, Author and Approver, which stand beside each
// other.
const (
	Viewer   Role = "viewer"
	Breaker  Role = "breaker"  // looks, and may break the glass: give it beside another role, to few
	Operator Role = "operator" // starts, cancels, answers what is asked of it
	Author   Role = "author"   // changes playbooks, pins and rolls back revisions
	Approver Role = "approver" // approves mutations
	Admin    Role = "admin"    // halts are for operators; un-halting, tokens, bindings, overrides are here
)

// Verb is what somebody wants to do.
type Verb string

// The verbs.
const (
	View     Verb = "view"
	Start    Verb = "start"    // a run
	Control  Verb = "control"  // cancel, pause, resume, retry, skip, roll back
	Answer   Verb = "answer"   // a form, a manual step, a doubt
	Approve  Verb = "approve"  // a mutation
	Break    Verb = "break"    // the glass: approve a mutation alone, whoever was asked
	Write    Verb = "write"    // incidents, comments, events by hand
	Publish  Verb = "publish"  // revisions
	Halt     Verb = "halt"     // stop effects
	Unhalt   Verb = "unhalt"   // let them go on
	Override Verb = "override" // loosen a guard, change a mode
	Audit    Verb = "audit"    // read who did what
	Manage   Verb = "manage"   // tokens, bindings, secrets' names, backups
	Request  Verb = "request"  // a playbook that is offered: for whom the offer names (Need.To), and for who may start runs
	Take     Verb = "take"     // what a run hands over: for nobody but who it is for (Need.To)
	Own      Verb = "own"      // look at what is one's own: for everybody who signed on
	Nothing  Verb = "nothing"  // open to everybody: health, the contract itself
)

// Need is what a request needs: every route names one. Object is empty where the verb is about the project itself.
type Need struct {
	Verb    Verb              `json:"verb"`
	Kind    string            `json:"kind,omitempty"` // run, task, incident, event, playbook, guard, token, …
	Project string            `json:"project,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"` // of the object
	To      []string          `json:"to,omitempty"`     // subjects that the object itself is for
}
