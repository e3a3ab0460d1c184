package httpapi

import "testing"

// FuzzCursor: whatever comes as a cursor is refused or opened, and what was closed opens to itself.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "c1", "c1MS5ydW5fMQ", "c1!!", "1.run_1", "c1AAAA", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := openCursor(closeCursor(s)); err != nil || got != s {
			t.Errorf("%q became %q, %v", s, got, err)
		}
		if got, err := openCursor(s); err == nil && got != "" && closeCursor(got) != s {
			// Base64 has other spellings of the same bytes; they open to the same position.
			if again, err := openCursor(closeCursor(got)); err != nil || again != got {
				t.Errorf("%q opens to %q, which does not last", s, got)
			}
		}
	})
}

// FuzzTrace: whatever comes as a traceparent, the trace that a request is in can be written as one.
func FuzzTrace(f *testing.F) {
	for _, s := range []string{"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "ff-x-y-z", "00---", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := readTrace(s)
		y := readTrace(x.String())
		if y.ID != x.ID || y.Parent != x.Span || y.Flags != x.Flags || len(x.String()) != 55 {
			t.Errorf("%q gives %+v, which reads as %+v", s, x, y)
		}
	})
}
