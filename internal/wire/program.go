package wire

import (
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
)

// DecodeProgram reads a compiled closure.
func DecodeProgram(b []byte) (*playbook.Program, error) {
	p, err := playbook.Load(b)
	if err != nil && fault.KindOf(err) != fault.Newer {
		return nil, fault.Wrap(fault.Invalid, err, "read the compiled program")
	}
	return p, err
}
