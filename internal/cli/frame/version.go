package frame

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/program"
)

// Version is what this binary is made of.
type Version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Language int    `json:"language"` // of playbooks
	Entries  int    `json:"entries"`  // version of the entries that it writes
}

// ThisVersion tells of what this binary is made.
func ThisVersion() Version {
	v := Version{
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

// VersionLine is the same in a line.
func VersionLine() string {
	v := ThisVersion()
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
