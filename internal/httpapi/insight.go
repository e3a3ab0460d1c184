package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/tendhq/tend/internal/access"
	"github.com/tendhq/tend/internal/insight"
	"github.com/tendhq/tend/internal/schedule"
	"github.com/tendhq/tend/internal/wire"
)

func (s *server) insights(a *api) {
	add(a, access.Need{Verb: access.View, Kind: "run"}, http.MethodGet, "/v1/insights", about{
		id: "insights", tag: "runs", summary: "What playbooks were good for, by team", time: 10 * time.Minute,
		text: "Of the runs and incidents that began in the time, that the asker may look at. Without `since` it is the last thirty days. " +
			"With `every` the same is added up for each hour, day or week of a zone; with `compare` also for the time before, of the same length.",
	}, s.insight)
}

type insightInput struct {
	Since time.Time `query:"since" doc:"From when on."`
	Until time.Time `query:"until" doc:"Until when. Nothing: now."`

	Every   string `query:"every" enum:"hour,day,week" doc:"Also a series of such parts, a thousand at most."`
	Zone    string `query:"zone" maxLength:"100" doc:"Whose midnight and Monday: Europe/Berlin. Nothing: UTC."`
	Compare bool   `query:"compare" doc:"Also the time before, as \"before\"."`
}

type insightOutput struct{ Body wire.Insights }

func (s *server) insight(ctx context.Context, in *insightInput) (*insightOutput, error) {
	if in.Until.IsZero() {
		in.Until = time.Now().UTC()
	}
	if in.Since.IsZero() {
		in.Since = in.Until.Add(-30 * 24 * time.Hour)
	}
	zone, err := schedule.Zone(in.Zone)
	if err != nil {
		return nil, err
	}
	r, err := insight.Read(ctx, s.Engine, insight.Query{
		Since: in.Since, Until: in.Until, Sight: s.sight(ctx), Every: insight.Step(in.Every), Zone: zone, Compare: in.Compare,
	})
	return &insightOutput{wire.Insights(r)}, err
}
