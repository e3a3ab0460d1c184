package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/action/output"
	"github.com/tendhq/tend/internal/fault"
)

// markName is the environment variable that everything that a step starts on a host inherits.
const markName = "TEND_MARK"

const (
	// drain is how long output is awaited after the command has ended: what it left in the background may hold it open.
	drain = 2 * time.Second
	// answerLimit is how long the host has to open a session that is to end what runs there.
	answerLimit = 5 * time.Second
	// maxNoise bounds what a host that runs no shell has said instead, in a message.
	maxNoise = 2 << 10
)

// loader is what a host is asked to run. It says who it is (the mark, its process id, and whether it leads a process
// group, which servers see to), reads the script from its standard input up to the line that is the mark, and evaluates
// it: no script and no variable is ever an argument, and nothing of it runs before all of it is there. read takes no more
// than it needs, so that the command finds its own input behind the mark. It has no single quotes, and no line breaks or
// exclamation marks, so that whatever shell the user has can pass it on.
const loader = `l=0; kill -s 0 -- "-$$" 2>/dev/null && l=1; printf "\n%s %s %s\n" "$1" "$$" "$l" >&2; ` +
	`TEND_MARK=$1; export TEND_MARK; n=$(printf "\nx"); n=${n%x}; s=; shift; ` +
	`while IFS= read -r x; do if [ "$x" = "$TEND_MARK" ]; then eval "unset s n x l;$s"; exit; fi; s=$s$x$n; done; exit 97`

// killer ends what a loader started and says whether it is gone: what is in its process group, the loader itself, and on
// Linux also what carries its mark. Arguments: process id, whether it leads a group, mark, grace in tenths of a second.
const killer = `p=$1; l=$2; m=$3; g=$4; ` +
	`marked() { [ -r /proc/self/stat ] && grep -l -s -F -e "TEND_MARK=$m" /proc/[0-9]*/environ | while IFS=/ read -r a b c d; do echo "$c"; done; }; ` +
	`group() { if [ -r /proc/self/stat ]; then for d in /proc/[0-9]*; do { read -r t <"$d/stat"; } 2>/dev/null || continue; set -- ${t##*) }; ` +
	`[ "$1" = Z ] && continue; i=${d#/proc/}; if [ "$i" = "$p" ] || [ "$l.$3" = "1.$p" ]; then echo "$i"; fi; done; ` +
	`else ps -A -o pid= -o pgid= -o stat= | while read -r i a b; do case $b in Z*) continue;; esac; ` +
	`if [ "$i" = "$p" ] || [ "$l.$a" = "1.$p" ]; then echo "$i"; fi; done; fi; }; ` +
	`all() { marked; group; }; ` +
	`send() { [ "$l" = 1 ] && kill -s "$1" -- "-$p" 2>/dev/null; for i in $(all); do kill -s "$1" "$i" 2>/dev/null; done; }; ` +
	`nap() { sleep 0.1 2>/dev/null || sleep 1; }; ` +
	`send TERM; send CONT; while [ "$g" -gt 0 ]; do [ -z "$(all)" ] && break; nap; g=$((g-1)); done; ` +
	`g=30; while [ "$g" -gt 0 ]; do [ -z "$(all)" ] && break; send KILL; nap; g=$((g-1)); done; ` +
	`r=$(all); if [ -z "$r" ]; then echo gone; else echo left $r; fi`

// command is the line that the user's login shell gets. exec keeps the process id, so that the loader leads the group
// that the server made.
func (j job) command(mark string) string {
	switch j.shell {
	case "sh":
		return "exec /bin/sh -c '" + loader + "' tend " + mark
	case "bash":
		return "exec bash -c '" + loader + "' tend " + mark
	}
	return `exec /bin/sh -c 'command -v bash >/dev/null 2>&1 && exec bash -c "$1" tend "$2"; exec /bin/sh -c "$1" tend "$2"' tend '` + loader + "' " + mark
}

// channel is a session's channel with what comes in by it.
type channel struct {
	ssh.Channel
	end  chan ending   // how the command ended; closed when the channel is
	done chan struct{} // closed when both streams have ended
}

// ending is the server's word on how a command ended.
type ending struct {
	code   int64
	signal string
}

// open starts command in a new session of client.
func open(ctx context.Context, client *ssh.Client, command string, output func(stream string, p []byte)) (*channel, error) {
	var o struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
	}
	if err := unless(ctx, func() (err error) {
		o.ch, o.reqs, err = client.OpenChannel("session", nil)
		return err
	}); err != nil {
		return nil, err
	}
	c := &channel{Channel: o.ch, end: make(chan ending, 1), done: make(chan struct{})}
	go c.requests(o.reqs)
	var streams sync.WaitGroup
	streams.Go(func() { pump(o.ch, "stdout", output) })
	streams.Go(func() { pump(o.ch.Stderr(), "stderr", output) })
	go func() { streams.Wait(); close(c.done) }()
	var ok bool
	err := unless(ctx, func() (err error) {
		ok, err = o.ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command}))
		return err
	})
	if err == nil && !ok {
		err = fault.New(fault.Refused, "the server runs no commands")
	}
	if err != nil {
		_ = o.ch.Close()
		return nil, err
	}
	return c, nil
}

// unless does something that knows no context and may wait for a host for ever. When ctx ends first it goes on alone, and
// ends with the connection.
func unless(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func pump(r io.Reader, stream string, output func(string, []byte)) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			output(stream, buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// requests takes the server's word on the end. The channel's own is that there is no more to come.
func (c *channel) requests(reqs <-chan *ssh.Request) {
	defer close(c.end)
	told := false
	for r := range reqs {
		var e ending
		ok := false
		switch r.Type {
		case "exit-status":
			var m struct{ Code uint32 }
			ok = ssh.Unmarshal(r.Payload, &m) == nil
			e.code = int64(m.Code)
		case "exit-signal":
			var m struct {
				Signal     string
				CoreDumped bool
				Error      string
				Lang       string
			}
			ok = ssh.Unmarshal(r.Payload, &m) == nil && m.Signal != ""
			e.code, e.signal = -1, "SIG"+m.Signal
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
		if ok && !told {
			told = true
			c.end <- e
		}
	}
}

// drained waits a moment for the rest of the output and tells whether that was all of it.
func (c *channel) drained() bool {
	select {
	case <-c.done:
		return true
	case <-time.After(drain):
		return false
	}
}

// identity is what a loader says of itself.
type identity struct {
	pid    string
	leader string
}

// greeting finds a loader's identity in its stderr and passes on what is not it.
type greeting struct {
	mu    sync.Mutex
	mark  string
	seen  []byte
	found chan identity // buffered; written once
	said  bool
	over  bool
	pass  func(stream string, p []byte)
}

// end stops passing anything on: the attempt is over, and a host that still speaks is not listened to.
func (g *greeting) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
}

func (g *greeting) output(stream string, p []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if g.said || stream != "stderr" {
		g.pass(stream, p)
		return
	}
	g.seen = append(g.seen, p...)
	line := []byte("\n" + g.mark + " ")
	at := bytes.Index(g.seen, line)
	end := -1
	if at >= 0 {
		end = bytes.IndexByte(g.seen[at+len(line):], '\n')
	}
	if end < 0 {
		return
	}
	end += at + len(line)
	before, after := g.seen[:at], g.seen[end+1:]
	pid, leader, _ := strings.Cut(string(g.seen[at+len(line):end]), " ")
	g.said = true
	g.found <- identity{pid: pid, leader: leader}
	for _, rest := range [][]byte{before, after} {
		if len(rest) > 0 {
			g.pass(stream, rest)
		}
	}
	g.seen = nil
}

// before gives what was printed in place of a greeting.
func (g *greeting) before() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.seen)
}

// execute runs the job on the host at the end of c.
func (p *plan) execute(ctx context.Context, c *connection, h hop, out *output.Capture, log action.Log) (action.Result, *int64) {
	mark, err := newMark()
	if err != nil {
		return never(fault.Wrap(fault.Unavailable, err, "make a mark")), nil
	}
	g := &greeting{mark: mark, found: make(chan identity, 1), pass: func(stream string, b []byte) {
		out.Write(stream, b)
		log(stream, b)
	}}
	defer g.end()
	began, cancel := context.WithTimeoutCause(ctx, p.connect, fault.New(fault.Timeout, "no shell within %s", p.connect))
	defer cancel()
	ch, err := open(began, c.client(), p.job.command(mark), g.output)
	if err != nil {
		return p.notBegun(began, h, err), nil
	}
	defer func() { _ = ch.Close() }()
	var who identity
	select {
	case who = <-g.found:
	case <-began.Done():
		return p.notBegun(began, h, began.Err()), nil
	case e, told := <-ch.end:
		ch.drained()
		g.end()
		return p.noShell(h, e, told, g.before()+out.Tail()+text(out)), nil
	}
	if err := p.send(ctx, ch); err != nil {
		return p.notBegun(ctx, h, err), nil
	}
	// From here on it may run.
	if err := finish(ch, mark, p.job.stdin); err != nil {
		return action.Doubt(fault.Lost, fmt.Sprintf("the connection to %s was lost while the command was sent", h.host)), nil
	}
	select {
	case e, told := <-ch.end:
		if told && !ch.drained() {
			log("tend", []byte("something that the command left in the background holds its output open; it is not waited for\n"))
		}
		g.end()
		return p.ended(ctx, h, e, told, out)
	case <-ctx.Done():
		return p.stopped(ctx, c, h, ch, who, mark), nil
	}
}

// send sends all of the script but the line that begins it.
func (p *plan) send(ctx context.Context, ch *channel) error {
	return unless(ctx, func() error {
		_, err := io.WriteString(ch, p.job.text)
		return err
	})
}

// finish begins the script and gives it its input, in the background: it may read late or never.
func finish(ch *channel, mark string, stdin []byte) error {
	if _, err := io.WriteString(ch, mark+"\n"); err != nil {
		return err
	}
	go func() {
		if _, err := ch.Write(stdin); err == nil {
			_ = ch.CloseWrite()
		}
	}()
	return nil
}

func (p *plan) notBegun(ctx context.Context, h hop, err error) action.Result {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return never(fault.Wrap(f.Kind, f, "run a command on %s", h.host))
	case ctx.Err() != nil:
		k, why := action.Stopped(ctx)
		return action.Never(k, fmt.Sprintf("run a command on %s: %s", h.host, why))
	}
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return action.Never(fault.Refused, fmt.Sprintf("%s opens no session: %s", h.host, refused.Message))
	}
	return action.Never(fault.Lost, fmt.Sprintf("the connection to %s was lost before the command was sent", h.host))
}

// noShell is the end of a loader that never spoke: it did not run.
func (p *plan) noShell(h hop, e ending, told bool, printed string) action.Result {
	printed = strings.TrimSpace(action.Clean(printed))
	if len(printed) > maxNoise {
		printed = strings.ToValidUTF8(printed[:maxNoise], "") + "…"
	}
	if printed != "" {
		printed = ": " + printed
	}
	switch {
	case !told:
		return action.Never(fault.Lost, fmt.Sprintf("%s closed the session before the command was sent%s", h.host, printed))
	case e.code == 127 || e.code == 126:
		return action.Never(fault.Missing, fmt.Sprintf("there is no such shell on %s%s", h.host, printed))
	}
	return action.Never(fault.Refused, fmt.Sprintf("the login shell of %s on %s runs no commands (exit code %d)%s", h.user, h.host, e.code, printed))
}

// ended judges a command whose session has ended.
func (p *plan) ended(ctx context.Context, h hop, e ending, told bool, out *output.Capture) (action.Result, *int64) {
	if !told {
		if ctx.Err() != nil {
			k, why := action.Stopped(ctx)
			return action.Doubt(k, fmt.Sprintf("%s, and the connection to %s is gone: whether the command ended is not known", why, h.host)), nil
		}
		return action.Doubt(fault.Lost, fmt.Sprintf("the connection to %s was lost while the command ran", h.host)), nil
	}
	if e.signal != "" {
		return action.Doubt(fault.Killed, fmt.Sprintf("the command on %s was ended by %s%s", h.host, action.Clean(e.signal), out.Tail())), nil
	}
	if slices.Contains(p.job.codes, e.code) {
		return action.Result{Outcome: action.Succeeded}, &e.code
	}
	return action.Fail(fault.Exit, fmt.Sprintf("the command on %s ended with exit code %d%s", h.host, e.code, out.Tail())), &e.code
}

// stopped ends what runs on the host, and says whether it is gone.
func (p *plan) stopped(ctx context.Context, c *connection, h hop, ch *channel, who identity, mark string) action.Result {
	k, why := action.Stopped(ctx)
	gone, how := p.kill(c, h, ch, who, mark)
	if gone {
		return action.Doubt(k, fmt.Sprintf("%s; the command on %s was ended", why, h.host))
	}
	return action.Doubt(k, fmt.Sprintf("%s; the command on %s may still run: %s", why, h.host, how))
}

// kill ends the remote process through a second session, or through a second connection when the first does not answer.
func (p *plan) kill(c *connection, h hop, ch *channel, who identity, mark string) (gone bool, how string) {
	// Servers that know signals are the quickest; whether it worked is seen below.
	go func() { _, _ = ch.SendRequest("signal", false, ssh.Marshal(struct{ Signal string }{"TERM"})) }()
	limit := p.grace + 2*answerLimit
	line := fmt.Sprintf("exec /bin/sh -c '%s' tend %s %s %s %d", killer, digits(who.pid), digits(who.leader), mark, max(p.grace.Milliseconds()/100, 1))
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	answer, err := ask(ctx, c.client(), line)
	if err != nil {
		again, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		second, derr := p.dial(again, h)
		if derr != nil {
			return false, "the host does not answer"
		}
		defer second.close()
		if answer, err = ask(again, second.client(), line); err != nil {
			return false, "the host does not answer"
		}
	}
	if answer == "gone" {
		return true, ""
	}
	if left, ok := strings.CutPrefix(answer, "left "); ok {
		return false, "it could not be ended (process " + left + ")"
	}
	return false, "the host does not say"
}

// ask runs a line on the host and gives the last line that it prints.
func ask(ctx context.Context, client *ssh.Client, line string) (string, error) {
	var mu sync.Mutex
	out := &output.Capture{MaxValue: 4 << 10}
	short, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	ch, err := open(short, client, line, func(stream string, b []byte) {
		mu.Lock()
		defer mu.Unlock()
		out.Write(stream, b)
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = ch.Close() }()
	select {
	case <-ch.done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	mu.Lock()
	defer mu.Unlock()
	lines := strings.Split(strings.TrimSpace(action.Clean(text(out))), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last, nil
	}
	return "", errors.New("no answer")
}

func text(out *output.Capture) string {
	r := report{out: out}
	return r.text()
}

// digits keeps the digits of a number that came from a host, so that it can stand in a command.
func digits(s string) string {
	for _, r := range s {
		if r < '0' || r > '9' {
			return "0"
		}
	}
	if s == "" || len(s) > 10 {
		return "0"
	}
	return s
}
