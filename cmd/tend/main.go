// Command tend runs playbooks: reliability as code.
package main

import (
	"os"

	"github.com/tendhq/tend/internal/cli"
)

func main() { os.Exit(cli.Main()) }
