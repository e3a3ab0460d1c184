package wire

import (
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/program"
)

// DecodeProgram reads a compiled closure.
func DecodeProgram(b []byte) (*program.Program, error) {
	p, err := program.Load(b)
	if err != nil && fault.KindOf(err) != fault.Newer {
		return nil, fault.Wrap(fault.Invalid, err, "read the compiled program")
	}
	return p, err
}
