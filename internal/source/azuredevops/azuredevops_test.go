package azuredevops_test

import (
	"testing"
	"time"

	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/source/azuredevops"
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
		{Name: "build", Body: `{"subscriptionId":"00000000-0000-0000-0000-000000000000","notificationId":2,"id":"4a5d99d6-1c75-4e53-91b9-ee80057d4ce3","eventType":"build.complete","publisherId":"tfs","message":{"text":"Build 20260301.2 succeeded"},"resource":{"id":2,"buildNumber":"20260301.2","status":"completed","result":"failed","definition":{"id":1,"name":"shop-ci"}},"resourceVersion":"2.0","resourceContainers":{"project":{"id":"be9b3917"}},"createdDate":"2026-03-01T11:31:21.319Z"}`, Want: []event.Event{{
			Kind: "pipeline", Key: "4a5d99d6-1c75-4e53-91b9-ee80057d4ce3", Group: "be9b3917/build.complete/shop-ci", Name: "shop-ci", At: at("2026-03-01T11:31:21.319Z"),
			Labels: map[string]string{"event": "build.complete", "publisher": "tfs", "status": "completed", "result": "failed"},
		}}},
		{Name: "push", Body: `{"id":"03c164c2","eventType":"git.push","publisherId":"tfs","resource":{"commits":[],"refUpdates":[{"name":"refs/heads/master"}],"repository":{"id":"278d5cd2","name":"Fabrikam"}},"createdDate":"2026-03-01T11:31:21Z"}`, Want: []event.Event{{
			Kind: "push", Key: "03c164c2", Group: "/git.push/Fabrikam", Name: "Fabrikam", Labels: map[string]string{"event": "git.push", "publisher": "tfs", "repository": "Fabrikam"},
		}}},
	}
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, azuredevops.Decoder{}, messages())
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add([]byte(m.Body))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			m.Body = string(b)
			es, _ := azuredevops.Decoder{}.Decode(m.Request())
			sourcetest.Sane(t, es)
		}
	})
}
