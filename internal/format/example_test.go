package format_test

import (
	"fmt"

	"github.com/tendhq/tend/internal/format"
)

func ExampleSource() {
	out, _ := format.Source("restart.yaml", []byte(`kind: Playbook
apiVersion: "tend/v1"
metadata:
    name: restart   # of the web tier
steps:
- with: {script: "systemctl restart web"}
  uses: shell
`))
	fmt.Print(string(out))
	// Output:
	// apiVersion: tend/v1
	// kind: Playbook
	// metadata:
	//   name: restart # of the web tier
	// steps:
	//   - uses: shell
	//     with: {script: systemctl restart web}
}
