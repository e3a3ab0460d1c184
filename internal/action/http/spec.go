package http

import (
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/fault"
)

func spec() contract.Spec {
	return contract.Spec{
		Name:    "http",
		Summary: "Sends an HTTP request.",
		Doc: "The effect follows from the method: GET, HEAD and OPTIONS are `read`, PUT and DELETE `idempotent`, everything else " +
			"`mutate`. A step that knows better (a search by POST) declares `effect`.\n\n" +
			"Data from outside belongs into `path` (a list of segments) and `query`, which are encoded, so that no text in them " +
			"can change the host or add a parameter; never glue it to `url`. Header values with line breaks are refused.\n\n" +
			"Redirects are off: with `redirects: 3` at most three are followed, each checked as the first address was, and a " +
			"redirect to another origin loses the credentials and all headers of the step. Metadata services and link-local " +
			"addresses are never reached; what else may be reached `egress` of the configuration says, and the address is checked " +
			"when the connection is made.\n\n" +
			"A request that is not `read` carries `Idempotency-Key`, the same for every attempt of the step.\n\n" +
			"**Doubt.** Until the connection stands nothing has happened. After that a time limit, a cancel or a lost connection " +
			"leaves open what a request that changes something has done: in doubt. An answer ends the doubt, a bad one too, but " +
			"408, 502 and 504: these speak of a gateway that did not hear from the server behind it, which may have acted. A `read` " +
			"is never in doubt.\n\n" +
			"A failure has kind `unavailable` for the statuses in `retryable` (`rate-limited` for 429), so that " +
			"`retry: {on: [unavailable, rate-limited]}` repeats what is worth repeating; `Retry-After` is honoured.",
		Effect:   contract.Mutate,
		EffectOf: effectOf,
		Inputs: []contract.Field{
			{Name: "url", Type: contract.String, Required: true, Description: "Where to: `https://host[:port]/path`. No credentials in it."},
			{Name: "method", Type: contract.String, Default: "GET", Enum: methods(), Description: "The method."},
			{Name: "path", Type: contract.List, Items: &contract.Field{Type: contract.String}, Description: "Segments that are encoded and added to the path of `url`."},
			{Name: "query", Type: contract.Map, Description: "Parameters that are encoded and added to the query; a list gives the parameter several times."},
			{Name: "headers", Type: contract.Map, Description: "Headers."},
			{Name: "body", Type: contract.String, Description: "A body as it stands. One of `body`, `json`, `form` and `file`."},
			{Name: "json", Type: contract.Any, Description: "A body that is encoded as JSON."},
			{Name: "form", Type: contract.Map, Description: "A body that is encoded as a form."},
			{Name: "file", Type: contract.String, Description: "A file, at most 100 MiB, that becomes the body; relative to the playbook's directory."},
			{
				Name: "auth", Type: contract.Map, Sensitive: true, Description: "Credentials: `bearer`, or `username` and `password`.",
				Fields: []contract.Field{
					{Name: "bearer", Type: contract.String, Sensitive: true, Description: "A token."},
					{Name: "username", Type: contract.String, Description: "For basic authentication."},
					{Name: "password", Type: contract.String, Sensitive: true, Description: "For basic authentication."},
				},
			},
			{Name: "expect", Type: contract.List, Default: []any{"2xx"}, Description: "Statuses that are a success: `204`, `2xx`, `200-204`."},
			{Name: "retryable", Type: contract.List, Default: []any{int64(408), int64(425), int64(429), int64(502), int64(503), int64(504)}, Description: "Statuses that are worth another attempt."},
			{Name: "timeout", Type: contract.Duration, Default: "30s", Description: "For the whole exchange. The step's own `timeout` counts too."},
			{
				Name: "tls", Type: contract.Map, Description: "How to speak TLS.",
				Fields: []contract.Field{
					{Name: "ca", Type: contract.String, Description: "PEM of the authorities to trust in place of the system's."},
					{Name: "cert", Type: contract.String, Description: "PEM of a client certificate."},
					{Name: "key", Type: contract.String, Sensitive: true, Description: "PEM of its key."},
					{Name: "serverName", Type: contract.String, Description: "The name that the server's certificate must have."},
					{Name: "insecure", Type: contract.Boolean, Default: false, Description: "Whether to believe any certificate: whoever is in between reads along and answers."},
				},
			},
			{Name: "redirects", Type: contract.Number, Default: int64(0), Description: "How many redirects to follow, at most 10."},
			{Name: "limit", Type: contract.Number, Default: int64(1 << 20), Description: "Bytes of the answer to keep, at most 16 MiB. Of a longer one the head is kept."},
		},
		Outputs: []contract.Field{
			{Name: "status", Type: contract.Number, Description: "The status."},
			{Name: "headers", Type: contract.Map, Description: "The headers, names in lower case."},
			{Name: "body", Type: contract.String, Description: "The body as text."},
			{Name: "json", Type: contract.Any, Description: "The body as data, if it is JSON."},
			{Name: "value", Type: contract.Any, Description: "`json` if there is one, else `body`."},
			{Name: "truncated", Type: contract.Boolean, Description: "Whether `body` is only the head of the answer."},
		},
		Targets: []string{"url:{{ .url }}"},
		Ends: []contract.End{
			{When: "the server answered with a status of `expect`", Outcome: "succeeded"},
			{When: "the server answered with another status", Outcome: "failed", Kind: fault.Status},
			{When: "the server answered with another status, one of `retryable`", Outcome: "failed", Kind: fault.Unavailable},
			{When: "the server answered 429", Outcome: "failed", Kind: fault.RateLimited},
			{When: "the server answered 401, 403 or 407", Outcome: "failed", Kind: fault.Auth},
			{When: "a redirect leads where egress does not allow to go, or is one too many", Outcome: "failed", Kind: fault.Refused},
			{When: "`read`: no answer in time", Outcome: "failed", Kind: fault.Timeout},
			{When: "`read`: cancelled while waiting for the answer", Outcome: "failed", Kind: fault.Cancelled},
			{When: "`read`: the connection broke", Outcome: "failed", Kind: fault.Lost},
			{When: "`read`: what came was not HTTP", Outcome: "failed", Kind: fault.Parse},
			{When: "the inputs are wrong", Outcome: "not-started", Kind: fault.Invalid},
			{When: "a file is not there", Outcome: "not-started", Kind: fault.Missing},
			{When: "a file is larger than 100 MiB", Outcome: "not-started", Kind: fault.Limit},
			{When: "egress does not allow the address", Outcome: "not-started", Kind: fault.Refused},
			{When: "no connection: the name, the address or the port", Outcome: "not-started", Kind: fault.Unreachable},
			{When: "no connection: the certificate or the handshake", Outcome: "not-started", Kind: fault.TLS},
			{When: "no connection in time", Outcome: "not-started", Kind: fault.Timeout},
			{When: "cancelled before there was a connection", Outcome: "not-started", Kind: fault.Cancelled},
			{When: "the connection broke while it was made", Outcome: "not-started", Kind: fault.Lost},
			{When: "not `read`: no answer in time", Outcome: "in-doubt", Kind: fault.Timeout},
			{When: "not `read`: cancelled while waiting for the answer", Outcome: "in-doubt", Kind: fault.Cancelled},
			{When: "not `read`: the connection broke, or the answer broke off", Outcome: "in-doubt", Kind: fault.Lost},
			{When: "not `read`: what came was not HTTP", Outcome: "in-doubt", Kind: fault.Parse},
			{When: "not `read`: a gateway answered 408, 502 or 504", Outcome: "in-doubt", Kind: fault.Status},
			{When: "not `read`: a request was redirected and the next connection could not be made", Outcome: "in-doubt", Kind: fault.Unreachable},
			{When: "not `read`: a request was redirected and the next handshake failed", Outcome: "in-doubt", Kind: fault.TLS},
		},
		Examples: []contract.Example{
			{
				Title: "Ask a service how it is",
				YAML:  "- id: health\n  uses: http\n  with: {url: 'https://cart.example.com/health', timeout: 5s}\n  retry: {attempts: 3, backoff: 2s, on: [unavailable, unreachable, timeout]}\n",
			},
			{
				Title: "Change something, with a secret and data from the alert",
				YAML:  "- id: silence\n  uses: http\n  with:\n    method: POST\n    url: 'https://alerts.example.com/api/v2/silences'\n    auth: {bearer: '{{ secret \"alerts_token\" }}'}\n    json: {comment: '{{ $.params.reason }}', createdBy: tend}\n    expect: [200, 201]\n  verify:\n    uses: http\n    with: {url: 'https://alerts.example.com/api/v2/silences', query: {filter: 'createdBy=tend'}}\n    until: size(result.json) > 0\n",
			},
		},
	}
}

// methods are those that can be sent: of HTTP itself, of WebDAV, and PURGE and LIST, which caches and vaults speak.
func methods() []any {
	return []any{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE", "LIST", "PROPFIND", "REPORT", "SEARCH", "QUERY"}
}

// methodEffect tells the effect of a method. What is not proven to be less is mutate.
func methodEffect(method string) contract.Effect {
	switch strings.ToUpper(strings.TrimSpace(method)) {
	case "", "GET", "HEAD", "OPTIONS":
		return contract.Read
	case "PUT", "DELETE":
		return contract.Idempotent
	default:
		return contract.Mutate
	}
}

func effectOf(with map[string]any) contract.Effect {
	m, given := with["method"]
	if !given || m == nil {
		return contract.Read
	}
	s, ok := m.(string)
	if !ok {
		return contract.Mutate
	}
	return methodEffect(s)
}
