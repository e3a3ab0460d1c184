// Package demo shows what tend is for, with real files in a scratch directory: an alert that is handled by a server, with a
// person; a storm of them; a number that was mistyped; a problem that is found, repaired, verified and explained without a
// server; a repair that does not help; a question that nobody answers; a process that is killed in the middle of a mutation.
//
// It sets the scene, has Tend do what a person would, posts what an Alertmanager would, and proves from the files and from
// the server's answers what must hold afterwards. Nothing outside of the scratch directory is touched. What does not hold
// is ErrNotProven, so that a demonstration is a test too.
package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/terminal"
)

//go:embed *.yaml
var playbooks embed.FS

// ErrNotProven says that something which must hold does not. What it is stands on the screen.
var ErrNotProven = errors.New("the demonstration does not hold")

// Run is how a run ended, or where it stands.
type Run struct {
	ID     string
	Status string
	Undone string // how much was undone: fully, partly, or ""
	Code   int    // with which the command ended
}

// Tend does what a person would with the program, and shows it on the screen as the program does. An exit code other than
// 0 is no error.
type Tend interface {
	// Run is `tend run FILE -p …`.
	Run(ctx context.Context, file string, params ...string) (Run, error)
	// Alone is Run with nobody there who could answer, until the run is over.
	Alone(ctx context.Context, file string, params ...string) (Run, error)
	// Last is the newest run.
	Last(ctx context.Context) (Run, error)
	// Explain is `tend runs explain ID`.
	Explain(ctx context.Context, id string) error
	// Resume is `tend runs resume ID`.
	Resume(ctx context.Context, id string) (Run, error)
	// Serve is `tend serve --config FILE` in this process, which lets steps run here.
	Serve(ctx context.Context, file string) (Server, error)
	// Start starts a run and does not wait for it.
	Start(ctx context.Context, file string, params ...string) (id string, err error)
	// Present tells whether somebody sits at a terminal who can be asked.
	Present() bool
	// Program is the file of this program with the flags that lead to the data directory.
	Program() (args []string, err error)
	// Command words a command for people, who may copy it.
	Command(args string) string
}

// Stage is where a demonstration takes place.
type Stage struct {
	Tend
	Dir   string // scratch
	Out   io.Writer
	Style terminal.Style // of Out
	// Stay waits until people have seen enough of a server; nil: nobody wants to see more of it.
	Stay func(ctx context.Context)
}

// Scene is one demonstration.
type Scene struct {
	Name, Short string // the first has no name
	Long        string
	Server      bool // it starts one, which can stay
	Play        func(*Stage, context.Context) error
}

// Scenes lists the demonstrations.
func Scenes() []Scene {
	return []Scene{
		{
			Short: "See an alert come in and be handled, by people and machine: a server, an incident, a repair, in a scratch directory",
			Long: "Makes a scratch directory, lets a logger fill it, starts a server and posts the alert that an Alertmanager would. The\n" +
				"playbook asks a person, repairs the directory and verifies that; the alert is over, and so is its incident. Nothing outside\n" +
				"that directory is touched; no root, no other service is needed. It exits with 0 only if all that it claims was proven.",
			Server: true, Play: (*Stage).story,
		},
		{Name: "storm", Short: "See ten thousand alerts come in at once, and three runs begin", Server: true, Play: (*Stage).storm},
		{Name: "typo", Short: "See sixty targets, typed for six, stopped by the guards that are on by default", Server: true, Play: (*Stage).typo},
		{Name: "core", Short: "See a real problem found, repaired, verified and explained, without a server", Play: (*Stage).reclaim},
		{Name: "kill", Short: "Kill tend in the middle of a mutation, and see the question that follows", Play: (*Stage).kill},
		{Name: "verify-fails", Short: "See undo and escalation when a repair does not help", Play: (*Stage).verifyFails},
		{Name: "nobody-answers", Short: "See that nothing happens when nobody answers", Play: (*Stage).nobodyAnswers},
	}
}

func (d *Stage) say(format string, a ...any) { _, _ = fmt.Fprintf(d.Out, format+"\n", a...) }

func (d *Stage) title(text string) { d.say("%s", d.Style.Bold(text)) }

// playbook writes a playbook into the scratch directory.
func (d *Stage) playbook(name string, content []byte) (string, error) {
	file := filepath.Join(d.Dir, name)
	return file, fault.Wrap(fault.Unavailable, os.WriteFile(file, content, 0o600), "write %s", file)
}

// own writes a playbook of the demonstrations.
func (d *Stage) own(name string) (string, error) {
	b, err := playbooks.ReadFile(name)
	if err != nil {
		return "", err
	}
	return d.playbook(name, b)
}

// proof is what must hold afterwards, sentence by sentence.
type proof struct {
	*Stage
	failed bool
}

func (d *Stage) prove() *proof {
	d.say("")
	d.title("What can be proven now")
	return &proof{Stage: d}
}

func (p *proof) that(ok bool, format string, a ...any) {
	mark := p.Style.Green("holds")
	if !ok {
		mark, p.failed = p.Style.Red("DOES NOT HOLD"), true
	}
	p.say("  %s: %s", mark, fmt.Sprintf(format, a...))
}

// look ends a proof with what a person can look at.
func (p *proof) look(lines ...string) error {
	for i, l := range lines {
		if i == 0 {
			l = "\n" + l
		}
		p.say("%s", l)
	}
	if p.failed {
		return ErrNotProven
	}
	return nil
}
