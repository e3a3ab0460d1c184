package wire

import (
	"time"
)

// Handover is what a run hands over to somebody, without what that is.
type Handover struct {
	At      time.Time `json:"at"`
	Ended   time.Time `json:"ended,omitzero" doc:"When it was taken, expired or was taken back."`
	Expires time.Time `json:"expires"`
	ID      string    `json:"id"`
	Run     string    `json:"run"`
	Status  string    `json:"status" enum:"pending,taken,expired,withdrawn"`
	Title   string    `json:"title,omitempty"`
}

// Handovers are several.
type Handovers struct {
	Handovers []Handover `json:"handovers"`
}

// Handed is what is handed over. It is shown once.
type Handed struct {
	Title string `json:"title,omitempty"`
	Value string `json:"value" format:"password"`
}

// Withdraw takes something back.
type Withdraw struct {
	Why string `json:"why,omitempty" maxLength:"2000"`
}
