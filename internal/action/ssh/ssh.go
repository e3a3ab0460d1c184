// Package ssh runs commands on hosts over SSH.
//
// A host's key must be known before anything is sent to it. What it runs is sent over the channel's standard input, not
// as an argument, and begins only when its last line has arrived: until that line is written the outcome of a failure is
// not started, and from then on, without the command's own exit code, in doubt.
//
// On cancel and timeout the remote process group is ended through a second session, or a second connection, and it is
// verified that it is gone. Nothing is shared between steps: each attempt opens its own connections.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/fault"
)

// Action is `ssh`.
type Action struct{}

// New gives the action.
func New() Action { return Action{} }

type inputs struct {
	Host           string        `in:"host"`
	Hosts          []string      `in:"hosts"`
	Port           int           `in:"port"`
	User           string        `in:"user"`
	Command        action.Text   `in:"command"`
	Script         action.Text   `in:"script"`
	Argv           []action.Text `in:"argv"`
	Shell          string        `in:"shell"`
	Stdin          *action.Text  `in:"stdin"`
	PrivateKey     action.Text   `in:"privateKey"`
	KeyFile        string        `in:"keyFile"`
	Passphrase     action.Text   `in:"passphrase"`
	Agent          *bool         `in:"agent"`
	KnownHosts     string        `in:"knownHosts"`
	Jump           []string      `in:"jump"`
	Parallel       int           `in:"parallel"`
	OnHostError    string        `in:"onHostError"`
	ExitCodes      []int64       `in:"exitCodes"`
	Parse          string        `in:"parse"`
	ConnectTimeout time.Duration `in:"connectTimeout"`
	Grace          time.Duration `in:"grace"`
	AWSSecret      string        `in:"awsSecret"`
	AWSRegion      string        `in:"awsRegion"`
}

// Run implements action.Action.
func (Action) Run(ctx context.Context, req action.Request, log action.Log) action.Result {
	var in inputs
	if err := action.Decode(req.Inputs, &in); err != nil {
		return never(err)
	}
	p, err := in.plan(ctx, req)
	if err != nil {
		return never(err)
	}
	defer p.login.close()
	if ctx.Err() != nil {
		return action.Never(action.Stopped(ctx))
	}
	var mu sync.Mutex
	serial := func(stream string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		log(stream, b)
	}
	reports := p.onAll(ctx, serial)
	if len(reports) == 1 && len(in.Hosts) == 0 {
		return reports[0].result(in.Parse, p.say)
	}
	return together(reports, in.OnHostError, p.say)
}

// plan is everything that an attempt needs, checked.
type plan struct {
	hosts    []hop
	jump     []hop
	job      job
	login    *login
	keys     hostKeys
	egress   action.Egress
	connect  time.Duration
	grace    time.Duration
	parallel int
	stop     bool
	kept     int // bytes of each host's output that are kept; zero is as many as the output may have
	say      action.Words
}

// maxHosts bounds a list of hosts: what it would need beyond is a fleet, with waves and gates.
const maxHosts = 1000

// plan checks the inputs, all problems at once, and reads the files that they name.
func (in inputs) plan(ctx context.Context, req action.Request) (*plan, error) {
	p := &plan{
		egress: req.Egress, connect: in.ConnectTimeout, grace: in.Grace, parallel: in.Parallel, stop: in.OnHostError == "stop",
		say: action.NewWords(req, in.PrivateKey, in.Passphrase),
	}
	if p.connect <= 0 {
		p.connect = 15 * time.Second
	}
	if p.grace <= 0 {
		p.grace = 5 * time.Second
	}
	if p.parallel <= 0 {
		p.parallel = 10
	}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	bad := func(format string, a ...any) { note(fault.New(fault.Invalid, format, a...)) }
	names := in.Hosts
	switch {
	case in.Host != "" && len(in.Hosts) > 0:
		bad("inputs host and hosts: give one of them")
	case in.Host != "":
		names = []string{in.Host}
	case len(in.Hosts) == 0:
		bad("inputs host and hosts: on which host?")
	case len(in.Hosts) > maxHosts:
		bad("input hosts: %d hosts, and at most %d at once", len(in.Hosts), maxHosts)
	}
	for _, list := range []struct {
		input string
		names []string
		into  *[]hop
	}{{"host", names, &p.hosts}, {"jump", in.Jump, &p.jump}} {
		for _, name := range list.names {
			h, err := parseHop(name, in.User, in.Port)
			if err != nil {
				bad("input %s: %s", list.input, err)
				continue
			}
			*list.into = append(*list.into, h)
		}
	}
	if in.Parse != "" && !slices.Contains([]string{"text", "json", "lines", "number", "auto"}, in.Parse) {
		bad("input parse: %.40q is none of text, json, lines, number, auto", in.Parse)
	}
	if in.OnHostError != "" && !slices.Contains([]string{"continue", "stop", "ignore"}, in.OnHostError) {
		bad("input onHostError: %.40q is none of continue, stop, ignore", in.OnHostError)
	}
	if n := len(p.hosts); n > 1 {
		p.kept = max(keepMany/n, keepLeast)
	}
	var err error
	p.job, err = in.job(req)
	note(err)
	if len(problems) > 0 {
		return nil, fault.Wrap(fault.Invalid, errors.Join(problems...), "")
	}
	if p.keys, err = readHostKeys(in.KnownHosts, req.Dir); err != nil {
		return nil, err
	}
	if p.login, err = in.login(ctx, req.Dir); err != nil {
		return nil, err
	}
	return p, nil
}

// onAll runs the job on every host and gives a report for each.
func (p *plan) onAll(ctx context.Context, log action.Log) []report {
	reports := make([]report, len(p.hosts))
	places := make(chan struct{}, p.parallel) // a token for each host that is being worked on
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := false
	for i, h := range p.hosts {
		places <- struct{}{}
		mu.Lock()
		skip := failed && p.stop
		mu.Unlock()
		if skip {
			reports[i] = report{host: h.name, out: p.capture(), end: action.Never(fault.Cancelled, "not begun, because another host failed before")}
			<-places
			continue
		}
		own, flush := log, func() {}
		if len(p.hosts) > 1 {
			own, flush = prefixed(log, h.name)
		}
		wg.Go(func() {
			r := p.on(ctx, h, own)
			flush()
			reports[i] = r
			if r.end.Outcome != action.Succeeded {
				mu.Lock()
				failed = true
				mu.Unlock()
			}
			<-places
		})
	}
	wg.Wait()
	return reports
}

// on runs the job on one host.
func (p *plan) on(ctx context.Context, h hop, log action.Log) report {
	r := report{host: h.name, out: p.capture()}
	if ctx.Err() != nil {
		r.end = action.Never(action.Stopped(ctx))
		return r
	}
	c, err := p.dial(ctx, h)
	if err != nil {
		r.end = never(err)
		return r
	}
	defer c.close()
	r.end, r.exit = p.execute(ctx, c, h, r.out, log)
	return r
}

func (p *plan) capture() *output.Capture {
	return &output.Capture{MaxValue: p.kept, MaxShown: p.kept}
}

func never(err error) action.Result {
	message := err.Error()
	if next := fault.NextOf(err); next != "" {
		message += ". Next: " + next
	}
	return action.Never(fault.KindOf(err), message)
}

// hop is a host to go to.
type hop struct {
	name string // as the input says it
	user string
	host string
	port string
}

func (h hop) address() string { return joinHostPort(h.host, h.port) }

// together makes one result of the reports of several hosts.
func together(reports []report, onError string, say action.Words) action.Result {
	count := map[action.Outcome]int64{}
	var first *report // the worst one: in doubt before failed before not started
	list := make([]any, len(reports))
	var lines strings.Builder
	for i := range reports {
		r := &reports[i]
		count[r.end.Outcome]++
		list[i] = r.entry(say)
		for l := range strings.Lines(r.text()) {
			fmt.Fprintf(&lines, "%s: %s\n", r.host, strings.TrimRight(l, "\r\n"))
		}
		if r.end.Outcome != action.Succeeded && (first == nil || rank(r) > rank(first)) {
			first = r
		}
	}
	outputs := map[string]any{
		"hosts": list, "output": strings.TrimRight(lines.String(), "\n"), "succeeded": count[action.Succeeded], "failed": count[action.Failed],
		"notStarted": count[action.NotStarted], "inDoubt": count[action.InDoubt],
	}
	if first == nil || onError == "ignore" && count[action.Succeeded] > 0 && count[action.InDoubt] == 0 {
		return action.OK(outputs)
	}
	outcome := first.end.Outcome
	if outcome == action.NotStarted && count[action.Succeeded] > 0 {
		outcome = action.Failed // something was done, if not everywhere
	}
	return action.Result{
		Outcome: outcome, Kind: first.end.Kind, Output: outputs,
		Message: fmt.Sprintf("%d of %d hosts succeeded, %d failed, %d did not start, %d are in doubt. %s: %s", count[action.Succeeded], len(reports),
			count[action.Failed], count[action.NotStarted], count[action.InDoubt], first.host, say.Of(first.end.Message)),
	}
}

func rank(r *report) int {
	return slices.Index([]action.Outcome{action.NotStarted, action.Failed, action.InDoubt}, r.end.Outcome)
}
