package shell

import (
	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

func spec() contract.Spec {
	return contract.Spec{
		Name:    "shell",
		Summary: "Runs a script or a program on the runner.",
		Doc: "Give `script`, or `argv`: a list that becomes the program's arguments as it stands, with no shell in between.\n\n" +
			"Scripts are verbatim: no template is rendered inside them. Data comes by `env`, where no quote, semicolon or newline " +
			"in it can become code; write `\"$NAME\"`.\n\n" +
			"The process sees the step's `env` and, of tend's own environment, only `PATH`, `HOME`, `USER`, `LANG`, `TMPDIR` and " +
			"`TZ`. In addition there are `TEND_RUN`, `TEND_STEP`, `TEND_KEY` (the idempotency key: the same for every attempt), " +
			"`TEND_WORK` (a fresh directory; `artifacts` are collected from it) and `TEND_MARK` (by which tend finds what the step " +
			"started).\n\n" +
			"Everything that the step starts dies with it: its process group, and processes that left the group but kept their " +
			"environment (Linux). To start something that stays, ask the service manager. On cancel and timeout the group gets " +
			"SIGTERM, then, after `grace`, SIGKILL; if tend itself dies, the group is killed.\n\n" +
			"`parse` makes the output a value. `text` is the output without the newlines at its end; `lines` a list without empty " +
			"lines; `number` one number; `json` one document; `auto` JSON if it is JSON, else text. No data is never a number or " +
			"a document. Output beyond 4 MiB is cut for `text` and `auto` (`truncated` says so) and a failure for the others.",
		Effect: contract.Mutate,
		Env:    true,
		Inputs: []contract.Field{
			{Name: "script", Type: contract.String, Verbatim: true, Description: "The script. Either this or `argv`."},
			{Name: "argv", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "The program and its arguments."},
			{Name: "shell", Type: contract.String, Enum: []any{"bash", "sh", "python3"}, Description: "What reads the script. Without it `bash` where there is one, else `sh`."},
			{Name: "stdin", Type: contract.String, Description: "What the program reads. Without it nothing (`/dev/null`)."},
			{Name: "cwd", Type: contract.String, Description: "Working directory; relative to the playbook's directory, which is also the default."},
			{Name: "parse", Type: contract.String, Default: "text", Enum: []any{"text", "json", "lines", "number", "auto"}, Description: "What the output is."},
			{Name: "exitCodes", Type: contract.List, Items: &contract.Field{Type: contract.Number}, Default: []any{int64(0)}, Description: "Exit codes that count as success."},
			{Name: "grace", Type: contract.Duration, Default: "5s", Description: "Time between SIGTERM and SIGKILL."},
		},
		Outputs: []contract.Field{
			{Name: "value", Type: contract.Any, Description: "The output as `parse` says."},
			{Name: "stdout", Type: contract.String, Description: "What was printed: head and tail of at most 64 KiB."},
			{Name: "stderr", Type: contract.String, Description: "The same of stderr."},
			{Name: "exitCode", Type: contract.Number, Description: "The exit code, if the program ended by itself."},
			{Name: "truncated", Type: contract.Boolean, Description: "Whether `value` is not all that was printed."},
		},
		Targets: nil, // what a script acts on only its author knows: `target:`
		Ends: []contract.End{
			{When: "the program ended with an exit code of `exitCodes`, and its output could be read", Outcome: "succeeded"},
			{When: "the program ended with another exit code", Outcome: "failed", Kind: fault.Exit},
			{When: "the output is not what `parse` says", Outcome: "failed", Kind: fault.Parse},
			{When: "there is more output than `parse` can take", Outcome: "failed", Kind: fault.Limit},
			{When: "the inputs are wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "the program, the shell or the directory is not there", Outcome: "not-started", Kind: fault.Missing},
			{When: "the program may not be executed", Outcome: "not-started", Kind: fault.Refused},
			{When: "arguments and environment are too long, or the system has no process left", Outcome: "not-started", Kind: fault.Limit},
			{When: "a long or secret script could not be put into a file", Outcome: "not-started", Kind: fault.Unavailable},
			{When: "the step was cancelled before it began", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the time limit passed before it began", Outcome: "not-started", Kind: fault.Timeout},
			{When: "the time limit passed: the program was ended", Outcome: "in-doubt", Kind: fault.Timeout},
			{When: "the step was cancelled: the program was ended", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "a signal that tend did not send ended the program", Outcome: "in-doubt", Kind: fault.Killed},
			{When: "something that the program started could not be ended", Outcome: "in-doubt", Kind: fault.Lost},
		},
		Examples: []contract.Example{
			{
				Title: "Measure, with data by the environment",
				YAML:  "- id: usage\n  uses: shell\n  effect: read\n  env: {DIR: '{{ $.params.path }}'}\n  with: {script: 'du -sm \"$DIR\" | cut -f1', parse: number}\n",
			},
			{
				Title: "A program with arguments, no shell",
				YAML:  "- uses: shell\n  with: {argv: [systemctl, restart, '{{ $.params.unit }}']}\n  target: 'unit:{{ $.params.unit }}'\n  timeout: 2m\n",
			},
			{
				Title: "An exit code that is an answer",
				YAML:  "- id: found\n  uses: shell\n  effect: read\n  with: {script: 'grep -c ERROR /var/log/app.log', exitCodes: [0, 1], parse: number}\n",
			},
		},
		Aliases: []contract.Alias{{
			Name:   "utils/inline-python",
			Inputs: map[string]string{"INLINE_SCRIPT": "script"},
			With:   map[string]any{"shell": "python3"},
		}},
	}
}
