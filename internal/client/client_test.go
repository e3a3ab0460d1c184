package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tendhq/tend/internal/client"
	"github.com/tendhq/tend/internal/fault"
)

func TestDialRefusesWhatIsNoServerAndWhatCanBeOverheard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address, token string
		kind           fault.Kind
	}{
		{"nonsense", "", fault.Invalid},
		{"ftp://tend.example", "", fault.Invalid},
		{"https://tend.example/path", "", fault.Invalid},
		{"https://tend.example/?q=1", "", fault.Invalid},
		{"https://user:pw@tend.example", "", fault.Invalid},
		{"http://tend.example", "t", fault.Refused},
		{"http://127.0.0.1.example", "t", fault.Refused},
		{"http://tend.example", "", ""},
		{"https://tend.example/", "t", ""},
		{"http://127.0.0.1:8420", "t", ""},
		{"http://[::1]:8420", "t", ""},
		{"http://localhost", "t", ""},
	} {
		_, err := client.Dial(c.address, c.token, "terminal")
		if c.kind == "" && err != nil || c.kind != "" && !fault.Is(err, c.kind) {
			t.Errorf("%s with %q: %v", c.address, c.token, err)
		}
	}
}

// TestATokenDoesNotFollowARedirect: whoever answers with one gets no second request.
func TestATokenDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked elsewhere, with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(s.Close)
	c, err := client.Dial(s.URL, "t", "terminal")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "sends elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatIsNoProblemIsTold(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>nginx</html>"))
	}))
	t.Cleanup(s.Close)
	c, err := client.Dial(s.URL, "", "terminal")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("got %v", err)
	}
}
