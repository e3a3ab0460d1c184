package compiler_test

import (
	"fmt"

	"github.com/tendhq/tend/internal/compiler"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/playbook"
)

func ExampleParse() {
	src := `apiVersion: tend/v1
kind: Playbook
metadata: {name: restart}
steps:
  - uses: shell
    wiht: {script: systemctl restart web}
    runner: {{ $.params.host }}
`
	_, findings := playbook.Parse("restart.yaml", []byte(src))
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// restart.yaml:6:5: error: a step has no key `wiht` [unknown-key] (did you mean `with`?)
	// restart.yaml:7:13: error: a text that begins with {{ needs quotes: without them it is a map to YAML [quote-template] (quote this: '{{ $.params.host }}')
}

func ExampleProgram_Bind() {
	docs, _ := playbook.Parse("restart.yaml", []byte(`apiVersion: tend/v1
kind: Playbook
metadata: {name: restart}
parameters:
  - {name: hosts, type: list}
  - {name: by, type: string, default: '{{ $.event.user }}'}
steps:
  - {uses: shell, with: {script: systemctl restart web}}
`))
	program, _ := compiler.Compile(docs[0], newCatalog(), nil)
	params, err := program.Bind(map[string]any{"hosts": "web-1,web-2"}, map[string]any{"user": "ada"}, nil, expr.New(expr.Limits{}))
	fmt.Println(params, err)
	_, err = program.Bind(map[string]any{"host": "web-1"}, map[string]any{"user": "ada"}, nil, expr.New(expr.Limits{}))
	fmt.Println(err)
	// Output:
	// map[by:ada hosts:[web-1 web-2]] <nil>
	// parameter `hosts` is required and not given: -p hosts=a,b
	// there is no parameter `host`: did you mean `hosts`?
}
