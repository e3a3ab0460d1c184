package wire

import (
	"time"
)

// Offer is a playbook that somebody may ask for.
type Offer struct {
	Approvers   []string `json:"approvers,omitempty" doc:"Who is asked to approve on the way; * is anybody who may. None: nobody is."`
	Description string   `json:"description,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Name        string   `json:"name" doc:"Of the playbook."`
	Note        string   `json:"note,omitempty" doc:"What whoever asks should know."`
	Outputs     []Field  `json:"outputs,omitempty" doc:"What whoever asked is shown when it is done."`
	Owner       string   `json:"owner,omitempty"`
	Parameters  []Field  `json:"parameters,omitempty" doc:"The form."`
	Project     string   `json:"project"`
	Title       string   `json:"title"`
}

// Offers are several.
type Offers struct {
	Offers []Offer `json:"offers"`
}

// Submit asks for a run of what is offered.
type Submit struct {
	Params map[string]any `json:"params,omitempty"`
	Why    string         `json:"why,omitempty" maxLength:"2000"`
}

// Request is what somebody asked for, as they see it.
type Request struct {
	Asked    time.Time      `json:"asked"`
	Ended    time.Time      `json:"ended,omitzero"`
	ID       string         `json:"id" doc:"Of the run."`
	Offer    string         `json:"offer"`
	Outputs  map[string]any `json:"outputs,omitempty" doc:"Those that the offer declares, when it is done."`
	Params   map[string]any `json:"params,omitempty" doc:"As they were given; what is sensitive is left out."`
	Project  string         `json:"project"`
	Status   string         `json:"status" doc:"Of the run: pending, running, waiting, succeeded, failed, cancelled, …"`
	Title    string         `json:"title,omitempty"`
	Waits    string         `json:"waits,omitempty" doc:"What it waits for: people, time or work."`
	Withheld []string       `json:"withheld,omitempty" doc:"Outputs that the offer declares and that hold something sensitive."`
}

// Requests are a part of a list.
type Requests struct {
	Next     string    `json:"next,omitempty"`
	Requests []Request `json:"requests"`
}

// Submitted says under which name it can be looked at.
type Submitted struct {
	Note    string `json:"note,omitempty" doc:"What whoever asked should know."`
	Request string `json:"request"`
}
