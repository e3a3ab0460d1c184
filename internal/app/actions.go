package app

import (
	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/container"
	"github.com/tendhq/tend/internal/action/http"
	"github.com/tendhq/tend/internal/action/log"
	"github.com/tendhq/tend/internal/action/replace"
	"github.com/tendhq/tend/internal/action/shell"
	"github.com/tendhq/tend/internal/action/sql"
	"github.com/tendhq/tend/internal/action/ssh"
	"github.com/tendhq/tend/internal/action/tabulate"
	"github.com/tendhq/tend/internal/action/transform"
	"github.com/tendhq/tend/internal/action/verb"
)

// Actions is the one list of what a step can use.
func Actions() (*action.Set, error) {
	return action.NewSet([]action.Action{
		container.New(),
		http.New(),
		log.New(),
		replace.New(),
		shell.New(),
		sql.New(),
		sql.Sessions{},
		sql.Terminate{},
		ssh.New(),
		tabulate.New(),
		transform.New(),
	}, verb.All())
}
