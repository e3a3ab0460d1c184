package app

import (
	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/verb"
)

// Actions is the one list of what a step can use.
func Actions() (*action.Set, error) {
	return action.NewSet([]action.Action{
		http.New(),
		shell.New(),
	}, verb.All())
}
