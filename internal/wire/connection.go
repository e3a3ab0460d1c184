package wire

import (
	"fmt"
	"time"
)

// Connections are what a server is connected to, as far as the asker may look at it. Of secrets there are names, never more.
type Connections struct {
	Channels     []Channel             `json:"channels" doc:"Through which people and services are told."`
	Duties       []Duty                `json:"duties" doc:"Who is on call, and who says so."`
	Integrations []Integration         `json:"integrations" doc:"Named connections: of the server, and those that repositories declare."`
	Repositories []ConnectedRepository `json:"repositories" doc:"Where playbooks come from; listRepositories tells more."`
	Runners      []ConnectedRunner     `json:"runners" doc:"Places where steps run, besides the server."`
	Sources      []Source              `json:"sources" doc:"Ways in for events."`
	Sought       time.Time             `json:"sought,omitzero" doc:"When whoever keeps secrets was asked whether they are there."`
	URL          string                `json:"url,omitempty" doc:"Where others find the server, when it is configured. Hooks are below it."`
}

// Trouble is what is wrong with a connection, and what to do about it.
type Trouble struct {
	Grade string    `json:"grade" enum:"fail,warn" doc:"fail: it does not work. warn: something else than it should be."`
	Next  string    `json:"next,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Text  string    `json:"text"`
}

// The grades of trouble.
const (
	Fail = "fail"
	Warn = "warn"
)

// NamedSecret tells whether a secret of a name can be found.
type NamedSecret struct {
	Found bool   `json:"found"`
	Name  string `json:"name"`
	Why   string `json:"why,omitempty" doc:"It cannot be found."`
}

// Source is a way in for events.
type Source struct {
	Address string        `json:"address,omitempty" doc:"Whom the server asks."`
	Event   string        `json:"event,omitempty" doc:"The last one that came."`
	Every   string        `json:"every,omitempty" doc:"How often the server asks; when a schedule ticks; how long a silence may last."`
	Heard   time.Time     `json:"heard,omitzero" doc:"When that came."`
	Asked   time.Time     `json:"asked,omitzero" doc:"When who is asked answered last, since the start."`
	Hook    string        `json:"hook,omitempty" doc:"The path that is posted to."`
	Kind    string        `json:"kind"`
	Name    string        `json:"name"`
	Project string        `json:"project"`
	Secrets []NamedSecret `json:"secrets"`
	Signed  string        `json:"signed,omitempty" doc:"How its messages are signed."`
	Trouble *Trouble      `json:"trouble,omitempty"`
	Way     string        `json:"way" enum:"push,pull,time" doc:"push: services post. pull: the server asks. time: the server makes them itself."`
}

// Integration is a named connection to another service.
type Integration struct {
	Description string        `json:"description,omitempty"`
	Environment string        `json:"environment,omitempty"`
	Hooks       []string      `json:"hooks,omitempty" doc:"Paths that the service posts to."`
	Kind        string        `json:"kind" doc:"What it connects to."`
	Name        string        `json:"name"`
	Project     string        `json:"project,omitempty" doc:"Of the repository. Nothing: it is the server's, for all."`
	Repository  string        `json:"repository,omitempty" doc:"Which declares it. Nothing: the server's configuration does."`
	Secrets     []NamedSecret `json:"secrets"`
	Trouble     *Trouble      `json:"trouble,omitempty"`
}

// Channel is a way to tell people, or another service, what happens.
type Channel struct {
	Hears       []string  `json:"hears" doc:"What is told there besides incidents: escalations, glass, pages, runs, tasks. Of issues and threads nothing is."`
	Integration string    `json:"integration,omitempty"`
	Kind        string    `json:"kind" doc:"slack, email, pagerduty, webhook; issues: action items become issues of a repository; threads: runs that somebody started there."`
	Name        string    `json:"name"`
	Oldest      time.Time `json:"oldest,omitzero" doc:"When what waits longest was to be told."`
	Projects    []string  `json:"projects,omitempty" doc:"Of which it tells. Nothing: of all."`
	Severity    string    `json:"severity,omitempty" doc:"The least that is told."`
	Told        time.Time `json:"told,omitzero" doc:"When a message arrived last, since the start."`
	Trouble     *Trouble  `json:"trouble,omitempty"`
	Waiting     int       `json:"waiting" doc:"Messages that are not told yet."`
}

// ConnectedRunner is a place where steps run.
type ConnectedRunner struct {
	Host    string   `json:"host"`
	Jump    string   `json:"jump,omitempty"`
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Port    int      `json:"port,omitempty"`
	Trouble *Trouble `json:"trouble,omitempty"`
	User    string   `json:"user,omitempty"`
}

// Duty is something that somebody is responsible for.
type Duty struct {
	Asked   time.Time     `json:"asked,omitzero" doc:"When who knows it answered last, since the start."`
	Kind    string        `json:"kind" enum:"calendar,grafana,jira,pagerduty,rotation" doc:"Who says whose turn it is."`
	Name    string        `json:"name"`
	People  []string      `json:"people" doc:"Who has it now."`
	Secrets []NamedSecret `json:"secrets"`
	Trouble *Trouble      `json:"trouble,omitempty"`
}

// ConnectedRepository is a repository in short.
type ConnectedRepository struct {
	Environment string    `json:"environment,omitempty"`
	Live        string    `json:"live,omitempty" doc:"The revision."`
	Looked      time.Time `json:"looked,omitzero"`
	Name        string    `json:"name"`
	Place       string    `json:"place"`
	Project     string    `json:"project"`
	Trouble     *Trouble  `json:"trouble,omitempty"`
}

// Trouble tells why what is live of a repository is not what it holds; nil when it is, or when somebody wants it so.
func (r *Repository) Trouble() *Trouble {
	t := &Trouble{Grade: Warn, Next: "tend revisions list " + r.Name}
	switch {
	case r.Problem != "":
		t.Text, t.Since = fmt.Sprintf("%s cannot be read: %s", r.Name, r.Problem), r.Since
	case r.Refused != nil && r.Live == nil:
		t.Grade, t.Text = Fail, fmt.Sprintf("%s: its newest revision %.12s was refused, and nothing is live", r.Name, r.Refused.ID)
	case r.Refused != nil:
		t.Text = fmt.Sprintf("%s: its newest revision %.12s was refused, and an older one is live", r.Name, r.Refused.ID)
	default:
		return nil
	}
	return t
}

// Connected gives a repository in short.
func (r *Repository) Connected() ConnectedRepository {
	out := ConnectedRepository{Environment: r.Environment, Looked: r.Looked, Name: r.Name, Place: r.Place, Project: r.Project, Trouble: r.Trouble()}
	if r.Live != nil {
		out.Live = r.Live.ID
	}
	return out
}
