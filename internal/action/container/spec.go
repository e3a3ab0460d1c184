package container

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "container",
		Summary: "Runs a container image with docker or podman.",
		Doc: `The image runs once, attached: its output is the step's, its exit code decides, and the container is removed
afterwards. ` + "`docker`" + ` or ` + "`podman`" + ` must be installed on the runner, with the right to use it.

The container sees the step's ` + "`env`" + ` and ` + "`TEND_RUN`, `TEND_STEP` and `TEND_KEY`" + `, the idempotency key. Values reach the engine's
program in its environment, never as arguments, where others on the machine could see them; for the same reason a secret
cannot be one of ` + "`args`" + `.

Of the runner's files the container sees what ` + "`mounts`" + ` names, which must lie in the playbook's directory and is read only,
and the step's scratch directory, writable, when ` + "`work`" + ` says where; ` + "`artifacts`" + ` are collected from there.

The container is named after the idempotency key and labelled with run and step. On cancel and timeout it is stopped
(SIGTERM and, after ` + "`grace`" + `, SIGKILL) and removed, and it is checked that it is gone. When tend itself dies the engine goes on
with it; the next attempt of the step removes it before it begins.

This action is tested against a program that behaves as the documentation of docker's command line says, not against an
engine.`,
		Effect: contract.Mutate,
		Env:    true,
		Inputs: []contract.Field{
			{Name: "image", Type: contract.String, Required: true, Description: "The image: [registry/]name[:tag][@digest]."},
			{Name: "args", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Arguments of its entry point."},
			{Name: "entrypoint", Type: contract.String, Description: "A program in place of the image's entry point."},
			{Name: "stdin", Type: contract.String, Sensitive: true, Description: "What the program reads. Without it nothing."},
			{Name: "workdir", Type: contract.String, Description: "Working directory inside."},
			{Name: "mounts", Type: contract.List, Description: "Files and directories to show, read only.", Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "source", Type: contract.String, Required: true, Description: "A path in the playbook's directory."},
				{Name: "target", Type: contract.String, Required: true, Description: "Its absolute path inside."},
			}}},
			{Name: "work", Type: contract.String, Description: "Absolute path inside at which the scratch directory is shown, writable."},
			{Name: "network", Type: contract.String, Description: "Network to join: none, host, or the name of one. Default: the engine's."},
			{Name: "pull", Type: contract.String, Default: "missing", Enum: []any{"always", "missing", "never"}, Description: "When the image is pulled."},
			{Name: "user", Type: contract.String, Description: "User, or user:group, to run as."},
			{Name: "cpus", Type: contract.Number, Description: "Processors that it may use, such as 1.5."},
			{Name: "memory", Type: contract.String, Pattern: memoryPattern, Description: "Memory that it may use, such as 512m."},
			{Name: "parse", Type: contract.String, Default: "text", Enum: []any{"text", "json", "lines", "number", "auto"}, Description: "What the output is, as in shell."},
			{Name: "exitCodes", Type: contract.List, Items: &contract.Field{Type: contract.Number}, Default: []any{int64(0)}, Description: "Exit codes that count as success."},
			{Name: "grace", Type: contract.Duration, Default: "10s", Description: "Time between SIGTERM and SIGKILL."},
			{Name: "engine", Type: contract.String, Default: "auto", Enum: []any{"auto", "docker", "podman"}, Description: "Which engine; auto is docker where it is installed, else podman."},
		},
		Outputs: []contract.Field{
			{Name: "value", Type: contract.Any, Description: "The output as `parse` says."},
			{Name: "stdout", Type: contract.String, Description: "What was printed: head and tail of at most 64 KiB."},
			{Name: "stderr", Type: contract.String, Description: "The same of stderr."},
			{Name: "exitCode", Type: contract.Number, Description: "The exit code, if the container ended by itself."},
			{Name: "truncated", Type: contract.Boolean, Description: "Whether `value` is not all that was printed."},
		},
		Ends: []contract.End{
			{When: "the container ended with an exit code of `exitCodes`, and its output could be read", Outcome: "succeeded"},
			{When: "the container ended with another exit code", Outcome: "failed", Kind: fault.Exit},
			{When: "the output is not what `parse` says", Outcome: "failed", Kind: fault.Parse},
			{When: "there is more output than `parse` can take", Outcome: "failed", Kind: fault.Limit},
			{When: "the inputs are wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "there is no engine, no such image, or no such file", Outcome: "not-started", Kind: fault.Missing},
			{When: "the registry refused the image", Outcome: "not-started", Kind: fault.Auth},
			{When: "a mount lies outside of the playbook's directory, or the engine may not be used", Outcome: "not-started", Kind: fault.Refused},
			{When: "the engine does not answer or could not start the container", Outcome: "not-started", Kind: fault.Unavailable},
			{When: "a container of an earlier attempt could not be removed", Outcome: "not-started", Kind: fault.Conflict},
			{When: "the step was cancelled before the container was started", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before the container was started", Outcome: "not-started", Kind: fault.Timeout},
			{When: "the time limit passed; the message says whether the container is gone", Outcome: "in-doubt", Kind: fault.Timeout},
			{When: "the step was cancelled; the message says whether the container is gone", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "a signal that tend did not send, or the lack of memory, ended the container", Outcome: "in-doubt", Kind: fault.Killed},
			{When: "the engine was lost while the container ran", Outcome: "in-doubt", Kind: fault.Lost},
		},
		Examples: []contract.Example{
			{Title: "A migration", YAML: `- uses: container
  env:
    DATABASE_URL: '{{ secret "shop_database_url" }}'
  with:
    image: registry.example.com/shop/migrate:2026.11
    args: [up, --to, latest]
    network: none
    memory: 512m
  timeout: 10m
`},
			{Title: "A tool that reads the playbook's files and gives JSON", YAML: `- id: report
  uses: container
  effect: read
  with:
    image: registry.example.com/tools/inspect@sha256:0000000000000000000000000000000000000000000000000000000000000000
    mounts: [{source: rules, target: /rules}]
    args: [--rules, /rules, --json]
    parse: json
`},
		},
	}
}
