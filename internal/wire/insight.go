package wire

import "github.com/tendhq/tend/internal/insight"

// Insights are what playbooks were good for over a time.
type Insights insight.Report
