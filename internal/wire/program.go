package wire

import (
	"bytes"
	"encoding/json"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/playbook"
)

// DecodeProgram reads a compiled closure.
func DecodeProgram(b []byte) (*playbook.Program, error) {
	p := new(playbook.Program)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "read the compiled program")
	}
	if p.Language > playbook.Language {
		return nil, fault.New(fault.Newer, "the program is of language version %d, this tend knows %d", p.Language, playbook.Language).
			WithNext("use the same tend on both sides")
	}
	return p, nil
}
