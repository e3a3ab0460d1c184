package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/signature"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const body = `{"status":"firing","text":"Größe"}`

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func header(m map[string]string) signature.Header { return func(n string) string { return m[n] } }

// requests gives a good request for each scheme, made without the code under test, and the key for it.
func requests() map[signature.Scheme]struct {
	key     string
	headers map[string]string
	id      string
} {
	raw := "0123456789abcdef0123456789abcdef"
	stamp := fmt.Sprint(noon.Unix())
	return map[signature.Scheme]struct {
		key     string
		headers map[string]string
		id      string
	}{
		signature.Standard: {"whsec_" + base64.StdEncoding.EncodeToString([]byte(raw)), map[string]string{
			"Webhook-Id": "msg_1", "Webhook-Timestamp": stamp,
			"Webhook-Signature": "v1a,AAAA v1,AAAA v1," + base64.StdEncoding.EncodeToString(mac(raw, "msg_1."+stamp+"."+body)),
		}, "msg_1"},
		signature.GitHub: {raw, map[string]string{"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac(raw, body)), "X-Github-Delivery": "72d3162e"}, "72d3162e"},
		signature.GitLab: {raw, map[string]string{"X-Gitlab-Token": raw, "X-Gitlab-Event-Uuid": "u-1"}, "u-1"},
		signature.Grafana: {raw, map[string]string{
			signature.GrafanaTime: stamp, "X-Grafana-Alerting-Signature": hex.EncodeToString(mac(raw, stamp+":"+body)),
		}, ""},
		signature.PagerDuty: {raw, map[string]string{
			"X-Pagerduty-Signature": "v1=" + strings.Repeat("00", 32) + ",v1=" + hex.EncodeToString(mac(raw, body)), "X-Webhook-Id": "w-1",
		}, "w-1"},
		signature.Slack: {raw, map[string]string{
			"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + hex.EncodeToString(mac(raw, "v0:"+stamp+":"+body)),
		}, ""},
		signature.Bearer: {raw, map[string]string{"Authorization": "bearer " + raw}, ""},
		signature.Basic:  {"alice:" + raw, map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+raw))}, ""},
	}
}

func keys(texts ...string) []secret.Value {
	out := make([]secret.Value, len(texts))
	for i, t := range texts {
		out[i] = secret.New(t)
	}
	return out
}

func TestVerify(t *testing.T) {
	t.Parallel()
	all := requests()
	for _, s := range signature.Schemes() {
		c, ok := all[s]
		if !ok {
			t.Fatalf("%s is not tested", s)
		}
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			verify := func(h map[string]string, b string, k []secret.Value, at time.Time) (signature.Delivery, error) {
				return signature.Verify(s, header(h), []byte(b), k, at)
			}
			d, err := verify(c.headers, body, keys(c.key), noon)
			if err != nil || d.ID != c.id {
				t.Fatalf("a good message: %+v, %v", d, err)
			}
			if d.At.IsZero() != (s != signature.Standard && s != signature.Slack && s != signature.Grafana) {
				t.Errorf("signed at %v", d.At)
			}
			if _, err := verify(c.headers, body, keys("another key", c.key), noon); err != nil {
				t.Errorf("with two live keys: %v", err)
			}
			for name, err := range map[string]error{
				"another key":  last(verify(c.headers, body, keys("another key"), noon)),
				"no key":       last(verify(c.headers, body, nil, noon)),
				"an empty key": last(verify(c.headers, body, keys(""), noon)),
				"no header":    last(verify(nil, body, keys(c.key), noon)),
			} {
				if !fault.Is(err, fault.Refused) {
					t.Errorf("%s: %v", name, err)
				} else if strings.Contains(err.Error(), c.key) {
					t.Errorf("%s: the key is in the message: %v", name, err)
				}
			}
			for name := range c.headers {
				h := maps.Clone(c.headers)
				delete(h, name)
				if _, err := verify(h, body, keys(c.key), noon); err == nil && !optional[name] {
					t.Errorf("it is taken without %s", name)
				}
			}
			for _, d := range []time.Duration{signature.Window + time.Second, -signature.Window - time.Second} {
				if _, err := verify(c.headers, body, keys(c.key), noon.Add(d)); err == nil && timed(c.headers) {
					t.Errorf("%s from its time it is still taken", d)
				}
			}
			if _, err := verify(c.headers, body, keys(c.key), noon.Add(signature.Window)); err != nil {
				t.Errorf("at the edge of the window: %v", err)
			}
		})
	}
}

// optional are headers that carry an id and prove nothing.
var optional = map[string]bool{"X-Github-Delivery": true, "X-Gitlab-Event-Uuid": true, "X-Webhook-Id": true}

// timed tells whether a request carries a time.
func timed(h map[string]string) bool {
	return h["Webhook-Timestamp"] != "" || h["X-Slack-Request-Timestamp"] != "" || h[signature.GrafanaTime] != ""
}

func last(_ signature.Delivery, err error) error { return err }

// TestTampered changes every byte of the body, and every byte of every header, one at a time.
func TestTampered(t *testing.T) {
	t.Parallel()
	for s, c := range requests() {
		if s != signature.GitLab && s != signature.Bearer && s != signature.Basic { // these do not sign the body, and say so
			for i := range len(body) {
				b := []byte(body)
				b[i] ^= 1
				if _, err := signature.Verify(s, header(c.headers), b, keys(c.key), noon); err == nil {
					t.Errorf("%s: byte %d of the body was changed", s, i)
				}
			}
			if _, err := signature.Verify(s, header(c.headers), append([]byte(body), ' '), keys(c.key), noon); err == nil {
				t.Errorf("%s: the body was lengthened", s)
			}
		}
		for name, v := range c.headers {
			if optional[name] {
				continue
			}
			from := strings.LastIndexAny(v[:len(v)-1], ", =") + 1 // the last proof: the ones before it are decoys
			for i := from; i < len(v); i++ {
				h := maps.Clone(c.headers)
				b := []byte(v)
				if b[i] == '=' {
					continue // padding
				}
				b[i] ^= 1
				h[name] = string(b)
				if _, err := signature.Verify(s, header(h), []byte(body), keys(c.key), noon); err == nil && !sameBase64(v[from:], string(b[from:])) {
					t.Errorf("%s: byte %d of %s was changed: %q", s, i, name, h[name])
				}
			}
		}
	}
}

// sameBase64 tells whether two spellings decode to the same bytes: the last character before padding has spare bits.
func sameBase64(a, b string) bool {
	x, err1 := base64.StdEncoding.DecodeString(a)
	y, err2 := base64.StdEncoding.DecodeString(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func TestGrafanaWithoutTime(t *testing.T) {
	t.Parallel()
	h := map[string]string{"X-Grafana-Alerting-Signature": hex.EncodeToString(mac("key of grafana", body))}
	if _, err := signature.Verify(signature.Grafana, header(h), []byte(body), keys("key of grafana"), noon); err != nil {
		t.Error(err)
	}
	h[signature.GrafanaTime] = fmt.Sprint(noon.Unix()) // a time that was not signed
	if _, err := signature.Verify(signature.Grafana, header(h), []byte(body), keys("key of grafana"), noon); err == nil {
		t.Error("a time was added")
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	key := secret.New("whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567")))
	h, err := signature.Sign("msg_7", noon, []byte(body), key)
	if err != nil {
		t.Fatal(err)
	}
	d, err := signature.Verify(signature.Standard, header(h), []byte(body), []secret.Value{key}, noon)
	if err != nil || d.ID != "msg_7" || !d.At.Equal(noon) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := signature.Sign("x", noon, nil, secret.New("whsec_!!!")); err == nil {
		t.Error("it signs with what is no key")
	}
}

// TestProve: what proves a message is what verifies it, and nothing else does.
func TestProve(t *testing.T) {
	t.Parallel()
	for _, s := range signature.Schemes() {
		h, err := signature.Prove(s, "d-7", noon, []byte(body), secret.New("hook:0123456789"))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if _, err := signature.Verify(s, header(h), []byte(body), keys("hook:0123456789"), noon); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if _, err := signature.Verify(s, header(h), []byte(body), keys("hook:9876543210"), noon); err == nil {
			t.Errorf("%s: another key verifies it", s)
		}
		if _, err := signature.Prove(s, "d-7", noon, nil, secret.New("")); err == nil {
			t.Errorf("%s: an empty key proves", s)
		}
	}
	if _, err := signature.Prove("none", "", noon, nil, secret.New("x")); err == nil {
		t.Error("there is no such scheme")
	}
}

func FuzzVerify(f *testing.F) {
	for s, c := range requests() {
		for n, v := range c.headers {
			f.Add(string(s), n, v, body)
		}
	}
	f.Fuzz(func(t *testing.T, s, name, v, b string) {
		h := map[string]string{name: v, "Webhook-Id": v, "Webhook-Timestamp": v, "Authorization": v}
		if _, err := signature.Verify(signature.Scheme(s), header(h), []byte(b), keys("a key that nobody can guess"), noon); err == nil {
			t.Errorf("forged: %q %q %q", s, name, v)
		}
	})
}
