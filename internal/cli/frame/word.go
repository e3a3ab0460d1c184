package frame

import (
	"fmt"
	"time"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/terminal"
	"github.com/tendhq/tend/internal/value"
	"github.com/tendhq/tend/internal/wire"
)

// Count says how many there are of what is called so.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Dash stands for a text that is empty.
func Dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Span prints a duration as people read it.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// Needs says of which type a parameter is, and what it is when nobody gives it.
func Needs(f wire.Field) string {
	switch {
	case f.Default != nil:
		return f.Type + ", default " + terminal.Line(value.Text(f.Default))
	case f.Required:
		return f.Type + ", required"
	default:
		return f.Type
	}
}

// Who names somebody for people.
func Who(w entry.Who) string {
	if w.Via == "" {
		return w.Name
	}
	return w.Name + " (" + w.Via + ")"
}

// Local shows a time for people, where they are.
func Local(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// Entries says how many there are.
func Entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
