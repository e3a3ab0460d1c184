package runner

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/value"
)

// Marker separates what a step of the older dialect says from its result: what follows it on stdout is JSON.
const Marker = "<-- END -->"

// maxResult is how much of stdout can be a result.
const maxResult = 4 << 20

// Protocol reads the result of a step of the older dialect from its stdout.
//
//   - After the marker stands the result: a JSON document, or nothing for none. The marker counts where it begins a line;
//     of several the last one counts, so that a step may print what another step printed. A marker inside a line is noise
//     of a log, unless none begins a line and JSON follows the last of them.
//   - Without a marker the parser says what stdout is: "json", one JSON document; "raw", text; "" (none named), JSON if it
//     is an object or a list, else text.
//
// A JSON object becomes the output itself; a list or a scalar, and text (without the line ends at its end), stand under
// `output`. The error is of kind fault.Parse and shows the beginning of what could not be read.
func Protocol(stdout, parser string) (map[string]any, error) {
	if after, ok := result(stdout); ok {
		return fromJSON(after, "after "+Marker, true)
	}
	switch parser {
	case "json":
		return fromJSON(stdout, "with the JSON parser", false)
	case "":
		if t := strings.TrimSpace(stdout); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
			if out, err := fromJSON(t, "", false); err == nil {
				return out, nil
			}
		}
	}
	return map[string]any{"output": strings.TrimRight(stdout, "\r\n")}, nil
}

// result finds what stands after the marker.
func result(stdout string) (string, bool) {
	if i := lastAtLineStart(stdout); i >= 0 {
		return stdout[i+len(Marker):], true
	}
	i := strings.LastIndex(stdout, Marker)
	if i < 0 {
		return "", false
	}
	after := stdout[i+len(Marker):]
	_, err := value.Parse([]byte(strings.TrimSpace(after)))
	return after, err == nil
}

func lastAtLineStart(s string) int {
	for end := len(s); ; {
		i := strings.LastIndex(s[:end], Marker)
		if i <= 0 || s[i-1] == '\n' || s[i-1] == '\r' {
			return i
		}
		end = i
	}
}

func fromJSON(text, where string, mayBeEmpty bool) (map[string]any, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		if mayBeEmpty {
			return map[string]any{}, nil
		}
		return nil, fault.New(fault.Parse, "the step printed nothing where %s a JSON document is expected", where)
	}
	v, err := value.Parse([]byte(text))
	if err != nil {
		return nil, fault.New(fault.Parse, "what the step printed %s is not one JSON document: %v: %s", where, err, excerpt(text))
	}
	if o, ok := v.(map[string]any); ok {
		return o, nil
	}
	return map[string]any{"output": v}, nil
}

// excerpt shows the beginning of a text on one line.
func excerpt(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q…", string([]rune(s)[:most]))
}

// tap keeps of a stream what can be the result: from the last marker that begins a line, or from the beginning, up to
// maxResult bytes.
type tap struct {
	kept  []byte
	lost  int64  // bytes after what is kept
	carry []byte // the last bytes seen: a marker may be cut by writes
	seen  int64
}

func (t *tap) write(p []byte) {
	b := append(t.carry[:len(t.carry):len(t.carry)], p...)
	i := lastAtLineStart(string(b))
	if i == 0 && t.seen > int64(len(t.carry)) {
		i = -1 // the beginning of b is not the beginning of the stream
	}
	t.seen += int64(len(p))
	// A marker and the line end before it: with one byte less than that, no marker is found twice.
	t.carry = bytes.Clone(b[max(0, len(b)-len(Marker)):])
	if i >= 0 {
		t.kept, t.lost = t.kept[:0], 0
		p = b[i:]
	}
	n := min(len(p), maxResult-len(t.kept))
	t.kept = append(t.kept, p[:n]...)
	t.lost += int64(len(p) - n)
}

// result replaces the output of a step that succeeded by what the protocol makes of its stdout. An action that tells no
// stdout (a step on many hosts) keeps its own.
func (t *tap) result(r action.Result, parser string) action.Result {
	if _, ok := r.Output["stdout"]; !ok || r.Outcome != action.Succeeded {
		return r
	}
	text := strings.ToValidUTF8(string(t.kept), string(utf8.RuneError))
	if t.lost > 0 {
		if parser == "json" || strings.HasPrefix(text, Marker) {
			return failed(r, fault.Limit, fmt.Sprintf("the step printed more than %d MiB as its result", maxResult>>20))
		}
		text += fmt.Sprintf("\n[… %d bytes left out …]", t.lost)
	}
	out, err := Protocol(text, parser)
	if err != nil {
		return failed(r, fault.KindOf(err), err.Error())
	}
	return action.OK(out)
}

func failed(r action.Result, k fault.Kind, message string) action.Result {
	r.Outcome, r.Kind, r.Message = action.Failed, k, message
	return r
}
