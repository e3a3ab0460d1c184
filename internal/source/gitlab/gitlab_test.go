package gitlab_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/gitlab"
	"github.com/tendhq/tend/internal/source/sourcetest"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// messages are abridged from the documentation of the service.
func messages() []sourcetest.Message {
	return []sourcetest.Message{
		{Name: "pipeline", Header: map[string]string{"X-Gitlab-Event-Uuid": "13792a34", "X-Gitlab-Event": "Pipeline Hook"}, Body: `{"object_kind":"pipeline","object_attributes":{"id":31,"ref":"master","status":"failed","created_at":"2026-03-01 11:23:28 UTC"},"user":{"id":1,"username":"root"},"project":{"id":1,"path_with_namespace":"gitlab-org/gitlab-test"},"builds":[]}`, Want: []event.Event{{
			Kind: "pipeline", Key: "13792a34", Group: "gitlab-org/gitlab-test/pipeline/master", Name: "gitlab-org/gitlab-test",
			Labels: map[string]string{"event": "pipeline", "repository": "gitlab-org/gitlab-test", "branch": "master", "status": "failed", "sender": "root"},
		}}},
		{Name: "push", Header: map[string]string{"Idempotency-Key": "f5e5f430"}, Body: `{"object_kind":"push","event_name":"push","before":"95790bf8","after":"da156088","ref":"refs/heads/master","user_username":"jsmith","project":{"path_with_namespace":"mike/diaspora"},"commits":[]}`, Want: []event.Event{{
			Kind: "push", Key: "f5e5f430", Group: "mike/diaspora/push/master", Name: "mike/diaspora",
			Labels: map[string]string{"event": "push", "repository": "mike/diaspora", "branch": "master", "sender": "jsmith"},
		}}},
		{Name: "merge request", Body: `{"object_kind":"merge_request","user":{"username":"root"},"project":{"path_with_namespace":"gitlab-org/gitlab-test"},"object_attributes":{"iid":1,"target_branch":"master","action":"open","updated_at":"2026-03-01T11:11:27Z"}}`, Want: []event.Event{{
			Kind: "pull-request", Group: "gitlab-org/gitlab-test/merge_request/1", Name: "gitlab-org/gitlab-test", At: at("2026-03-01T11:11:27Z"),
			Labels: map[string]string{"event": "merge_request", "action": "open", "repository": "gitlab-org/gitlab-test", "branch": "master", "sender": "root"},
		}}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, gitlab.Decoder{}, messages())
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := gitlab.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
