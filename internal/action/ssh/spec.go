package ssh

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

// Spec implements action.Action.
func (Action) Spec() contract.Spec {
	return contract.Spec{
		Name:    "ssh",
		Summary: "Runs a command on one or several hosts over SSH.",
		Doc: `Give ` + "`script`" + `, ` + "`command`" + ` (one line of the same) or ` + "`argv`" + `, a program and its arguments. Scripts are verbatim: data
comes by ` + "`env`" + `, where nothing in it can become code, or by ` + "`argv`" + `, which is quoted. Neither the script nor the values of
` + "`env`" + ` are in the arguments of a process, where others on the host could see them. In addition there are ` + "`TEND_RUN`" + `,
` + "`TEND_STEP`" + `, ` + "`TEND_KEY`" + ` (the idempotency key: the same for every attempt) and ` + "`TEND_MARK`" + `. The host needs a POSIX shell.

The host's key must be known: from ` + "`knownHosts`" + `, or from the user's and the system's known_hosts. There is no way around it.
An unknown key ends the step before anything was sent, and the message tells how to look the key up.

On cancel and timeout what was started is asked to end (SIGTERM), after ` + "`grace`" + ` made to (SIGKILL), and it is checked that it is
gone: its process group, and on Linux also what left the group but kept its environment. When that cannot be done, for
example because the connection is gone, the message says so. What a command leaves in the background when it ends by
itself stays.

With ` + "`hosts`" + ` the command runs on all of them, ` + "`parallel`" + ` at a time. The step succeeds when all hosts did; it is in doubt when
one is; else it failed. ` + "`onHostError: stop`" + ` starts no more hosts after the first failure, ` + "`ignore`" + ` succeeds when at least one host
did and none is in doubt.`,
		Effect: contract.Mutate,
		Env:    true,
		Inputs: []contract.Field{
			{Name: "host", Type: contract.String, Description: "The host: a name or an address, also as user@host or host:port."},
			{Name: "hosts", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Several hosts, in place of host."},
			{Name: "port", Type: contract.Number, Default: int64(22), Description: "Port of the hosts that do not say their own."},
			{Name: "user", Type: contract.String, Description: "User on the hosts that do not say their own."},
			{Name: "command", Type: contract.String, Verbatim: true, Description: "A line for the shell."},
			{Name: "script", Type: contract.String, Verbatim: true, Description: "A script for the shell."},
			{Name: "argv", Type: contract.List, Items: &contract.Field{Type: contract.String, Sensitive: true}, Description: "A program and its arguments, without a shell's reading them. They can be seen in the host's list of processes."},
			{Name: "shell", Type: contract.String, Enum: []any{"bash", "sh"}, Description: "What reads the script. Without it bash where there is one, else sh."},
			{Name: "stdin", Type: contract.String, Sensitive: true, Description: "What the command reads. Without it nothing (/dev/null)."},
			{Name: "privateKey", Type: contract.String, Sensitive: true, Description: "The private key to log in with: its text."},
			{Name: "keyFile", Type: contract.String, Description: "A file with the private key, in place of its text."},
			{Name: "passphrase", Type: contract.String, Sensitive: true, Description: "Passphrase of the private key."},
			{Name: "agent", Type: contract.Boolean, Description: "Use the agent at SSH_AUTH_SOCK. Default: true when no key is given."},
			{Name: "knownHosts", Type: contract.String, Description: "Lines of known_hosts, or a file of them. Default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts."},
			{Name: "jump", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Hosts to go through, the nearest first: [user@]host[:port]. They take the same keys, and theirs must be known too."},
			{Name: "parallel", Type: contract.Number, Default: int64(10), Description: "How many hosts at a time."},
			{Name: "onHostError", Type: contract.String, Default: "continue", Enum: []any{"continue", "stop", "ignore"}, Description: "What a host's failure means for the others and for the step."},
			{Name: "exitCodes", Type: contract.List, Items: &contract.Field{Type: contract.Number}, Default: []any{int64(0)}, Description: "Exit codes that count as success."},
			{Name: "parse", Type: contract.String, Default: "text", Enum: []any{"text", "json", "lines", "number", "auto"}, Description: "With one host: what the output is, as in shell."},
			{Name: "connectTimeout", Type: contract.Duration, Default: "15s", Description: "Longest time of connecting and logging in, for each hop."},
			{Name: "grace", Type: contract.Duration, Default: "5s", Description: "Time between SIGTERM and SIGKILL."},
			{Name: "awsSecret", Type: contract.String, Description: "Name of an AWS secret that holds the private key; the aws program reads it."},
			{Name: "awsRegion", Type: contract.String, Description: "Region of that secret."},
		},
		Outputs: []contract.Field{
			{Name: "value", Type: contract.Any, Description: "With one host: the output as `parse` says."},
			{Name: "output", Type: contract.String, Description: "What was printed on stdout, without the newlines at its end; with several hosts, the lines of all of them, each with its host."},
			{Name: "stdout", Type: contract.String, Description: "With one host: what was printed on stdout, head and tail of at most 64 KiB."},
			{Name: "stderr", Type: contract.String, Description: "The same of stderr."},
			{Name: "exitCode", Type: contract.Number, Description: "With one host: the exit code."},
			{Name: "hosts", Type: contract.List, Description: "An entry for each host, in the order of the inputs.", Items: &contract.Field{Type: contract.Map, Fields: []contract.Field{
				{Name: "host", Type: contract.String, Description: "The host, as the input says it."},
				{Name: "outcome", Type: contract.String, Description: "How it ended there: succeeded, failed, not-started or in-doubt."},
				{Name: "kind", Type: contract.String, Description: "The kind of the failure."},
				{Name: "message", Type: contract.String, Description: "The failure in words."},
				{Name: "exitCode", Type: contract.Number, Description: "The exit code, when the command ended by itself."},
				{Name: "stdout", Type: contract.String, Description: "What was printed on stdout."},
				{Name: "stderr", Type: contract.String, Description: "What was printed on stderr."},
				{Name: "truncated", Type: contract.Boolean, Description: "Whether more was printed than stdout and stderr hold."},
			}}},
			{Name: "succeeded", Type: contract.Number, Description: "On how many hosts it succeeded."},
			{Name: "failed", Type: contract.Number, Description: "On how many hosts it failed."},
			{Name: "notStarted", Type: contract.Number, Description: "On how many hosts it did not start."},
			{Name: "inDoubt", Type: contract.Number, Description: "On how many hosts nobody knows."},
			{Name: "truncated", Type: contract.Boolean, Description: "With one host: whether more was printed than the output holds."},
		},
		// The user is no part of the target: what is done to a host is done to it by whomever.
		Targets: []string{
			`{{ if .host }}host:{{ regexReplaceAll "^.*@" .host "" }}{{ end }}`,
			`{{ splitList "," (regexReplaceAll "host:[^,]*@" (print "host:" (join ",host:" .hosts)) "host:") }}`,
		},
		Ends: ends(),
		Examples: []contract.Example{
			{Title: "One command", YAML: `- id: disk
  uses: ssh
  effect: read
  with:
    host: '{{ $.params.host }}'
    user: ops
    privateKey: '{{ secret "ops_key" }}'
    command: df -h /
`},
			{Title: "A fleet, three at a time, with data by the environment", YAML: `- uses: ssh
  env: {UNIT: '{{ $.params.unit }}'}
  with:
    hosts: [web-1.internal, web-2.internal, web-3.internal]
    user: ops
    keyFile: keys/ops
    knownHosts: keys/known_hosts
    jump: [ops@bastion.example.com]
    parallel: 3
    onHostError: stop
    script: |
      sudo systemctl restart "$UNIT"
      systemctl is-active "$UNIT"
`},
		},
		Aliases: []contract.Alias{
			{
				Name:   "ssh/command",
				Inputs: map[string]string{"COMMAND": "script", "USERNAME": "user", "HOSTNAME": "host", "PRIVATE_KEY": "privateKey", "PORT": "port"},
			},
			{
				Name: "ssh/parallel-command",
				Inputs: map[string]string{
					"COMMAND": "script", "USERNAME": "user", "HOSTNAMES": "hosts", "PRIVATE_KEY": "privateKey", "PORT": "port",
					"AWS_SECRET_KEY": "awsSecret", "AWS_REGION": "awsRegion",
				},
			},
		},
	}
}

func ends() []contract.End {
	return []contract.End{
		{When: "the command ended with an exit code of `exitCodes` on every host", Outcome: "succeeded"},
		{When: "the command ended with another exit code", Outcome: "failed", Kind: fault.Exit},
		{When: "the output is not what `parse` says", Outcome: "failed", Kind: fault.Parse},
		{When: "there is more output than `parse` can take", Outcome: "failed", Kind: fault.Limit},
		{When: "some hosts succeeded, and one was not reached", Outcome: "failed", Kind: fault.Unreachable},
		{When: "some hosts succeeded, and one refused the login or showed an unknown key", Outcome: "failed", Kind: fault.Auth},
		{When: "some hosts succeeded, and the network rules do not allow another, or it lets nobody run a command", Outcome: "failed", Kind: fault.Refused},
		{When: "some hosts succeeded, and one did not answer in time", Outcome: "failed", Kind: fault.Timeout},
		{When: "some hosts succeeded, and the step was cancelled before the others", Outcome: "failed", Kind: fault.Cancelled},
		{When: "some hosts succeeded, and the connection to another was lost before the command was sent", Outcome: "failed", Kind: fault.Lost},
		{When: "some hosts succeeded, and another has no such shell", Outcome: "failed", Kind: fault.Missing},
		{When: "the inputs are wrong", Outcome: "not-started", Kind: fault.Invalid},
		{When: "a file of the inputs, the agent, the aws program, or the host's shell is not there", Outcome: "not-started", Kind: fault.Missing},
		{When: "no connection came about", Outcome: "not-started", Kind: fault.Unreachable},
		{When: "the network rules do not allow the connection, or the host lets nobody run a command", Outcome: "not-started", Kind: fault.Refused},
		{When: "the login was refused, or the host's key is unknown or another than the known one", Outcome: "not-started", Kind: fault.Auth},
		{When: "the host did not answer in time", Outcome: "not-started", Kind: fault.Timeout},
		{When: "the step was cancelled before the command was sent", Outcome: "not-started", Kind: fault.Cancelled},
		{When: "the connection was lost before the command was sent", Outcome: "not-started", Kind: fault.Lost},
		{When: "the connection was lost after the command was sent", Outcome: "in-doubt", Kind: fault.Lost},
		{When: "the time limit passed; the message says whether what was started is gone", Outcome: "in-doubt", Kind: fault.Timeout},
		{When: "the step was cancelled; the message says whether what was started is gone", Outcome: "in-doubt", Kind: fault.Cancelled},
		{When: "a signal that tend did not send ended the command", Outcome: "in-doubt", Kind: fault.Killed},
	}
}
