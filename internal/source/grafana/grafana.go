// Package grafana decodes what Grafana Alerting posts to a webhook contact point: alerts in Alertmanager's form with
// Grafana's own fields (title, message, orgId, values, dashboardURL, panelURL, silenceURL, imageURL) beside them.
package grafana

import (
	"github.com/tendhq/tend/internal/event"
	"github.com/tendhq/tend/internal/signature"
	"github.com/tendhq/tend/internal/source"
	"github.com/tendhq/tend/internal/source/alertmanager"
)

// Decoder implements source.Decoder.
type Decoder struct{}

var _ source.Decoder = Decoder{}

// Spec implements source.Decoder.
func (Decoder) Spec() source.Spec {
	return source.Spec{
		Name: "grafana", Alerts: true, Schemes: []signature.Scheme{signature.Grafana, signature.Bearer, signature.Basic},
		Doc: "Alerts from a webhook contact point of Grafana Alerting.",
	}
}

var around = []string{
	"receiver", "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "truncatedAlerts", "orgId", "title", "message", "state",
}

// Decode implements source.Decoder.
func (Decoder) Decode(r source.Request) ([]event.Event, error) {
	n, err := r.Object()
	if err != nil {
		return nil, err
	}
	return alertmanager.Alerts(r, n, around)
}
