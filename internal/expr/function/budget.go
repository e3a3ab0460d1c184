package function

import (
	"fmt"

	"github.com/tendhq/tend/internal/value"
)

// Budget is what one evaluation may still use. Work is counted in units of about a nanosecond.
type Budget struct {
	elements, maxElements int
	work                  int
	text                  int
}

// Prices in work.
const (
	workCall    = 100 // a call of a function
	workElement = 40  // one more element of a list
	workValue   = 10  // a byte or a value that is written out, compared or copied
	workOfText  = 200 // work granted for each byte of output
	minWork     = 1 << 24
)

// NewBudget grants a number of list elements, and texts of some bytes.
func NewBudget(elements, text int) *Budget {
	return &Budget{elements: elements, maxElements: elements, text: text, work: max(minWork, workOfText*text)}
}

// Visit pays for going through n elements.
func (b *Budget) Visit(n int) error {
	if n > b.elements {
		b.elements = 0
		return fmt.Errorf("the expression goes through more than %d list elements", b.maxElements)
	}
	b.elements -= n
	return b.Spend(n * workElement)
}

// Spend pays for work.
func (b *Budget) Spend(n int) error {
	if n > b.work || n < 0 {
		b.work = 0
		return fmt.Errorf("the expression takes too much work")
	}
	b.work -= n
	return nil
}

// Text answers whether a text of n bytes may be built, and pays for it.
func (b *Budget) Text(n int) error {
	if err := b.fits(n); err != nil {
		return err
	}
	return b.Spend(n)
}

func (b *Budget) fits(n int) error {
	if n > b.text || n < 0 {
		return fmt.Errorf("the expression makes a text of more than %d bytes", b.text)
	}
	return nil
}

// Weigh pays for going through v, all the way down, before that is done. It finds values that an expression has put
// together so that they would be endless when written out.
func (b *Budget) Weigh(v any) error {
	switch x := v.(type) {
	case nil, bool, int64, float64:
		return nil
	case string:
		return b.Spend(len(x))
	}
	n, ok := value.Weigh(v, b.work/workValue)
	if !ok {
		return fmt.Errorf("the expression makes a value that is too large or nested deeper than %d levels", value.MaxDepth)
	}
	return b.Spend(n * workValue)
}
