package cli

import "github.com/tendhq/tend/internal/fault"

func (p *program) showPlan(*request, string) error {
	return fault.New(fault.Refused, "plans are not drawn yet")
}
