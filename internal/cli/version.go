package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
)

// version is what this binary is made of.
type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Language int    `json:"language"` // of playbooks
	Entries  int    `json:"entries"`  // version of the entries that it writes
}

func thisVersion() version {
	v := version{
		Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Language: program.Language, Entries: entry.Version,
	}
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if b.Main.Version != "" && b.Main.Version != "(devel)" {
		v.Version = b.Main.Version
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func versionLine() string {
	v := thisVersion()
	s := "tend " + v.Version
	if v.Commit != "" {
		s += " (" + v.Commit[:min(12, len(v.Commit))]
		if v.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return fmt.Sprintf("%s, language %d, entries %d, %s, %s", s, v.Language, v.Entries, v.Go, v.Platform)
}

func (p *process) versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Tell which tend this is",
		GroupID: groupKeep,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			switch output {
			case "":
				_, err := fmt.Fprintln(p.Out, versionLine())
				return err
			case "json":
				e := json.NewEncoder(p.Out)
				e.SetIndent("", "  ")
				return e.Encode(thisVersion())
			default:
				return badOutput(output, "json")
			}
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "json")
	return c
}
