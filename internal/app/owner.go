package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tendhq/tend/internal/action"
	"github.com/tendhq/tend/internal/archive"
	"github.com/tendhq/tend/internal/blob/dir"
	"github.com/tendhq/tend/internal/config"
	"github.com/tendhq/tend/internal/directory"
	"github.com/tendhq/tend/internal/engine"
	"github.com/tendhq/tend/internal/entry"
	"github.com/tendhq/tend/internal/expr"
	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/guard"
	"github.com/tendhq/tend/internal/httpapi"
	"github.com/tendhq/tend/internal/intake"
	"github.com/tendhq/tend/internal/run"
	"github.com/tendhq/tend/internal/runner"
	"github.com/tendhq/tend/internal/seal"
	"github.com/tendhq/tend/internal/secret"
	"github.com/tendhq/tend/internal/store"
	"github.com/tendhq/tend/internal/store/sqlite"
	"github.com/tendhq/tend/internal/wire"
)

// How long an owner waits for what acts when it ends.
const (
	orderly = 30 * time.Second
	hasty   = 3 * time.Second
)

func now() time.Time { return time.Now() }

// owned is all that the owner of a data directory holds, in the order in which it was opened.
type owned struct {
	dir     string
	lock    *directory.Lock
	store   *sqlite.Store
	blobs   *dir.Store
	secrets secret.Chain
	key     seal.Key // what is sealed in the directory is sealed with it

	connections *connections
	actions     *action.Set
	engine      *engine.Engine
	callbacks   *intake.Callbacks // of a server
	desk        *desk             // of a server
	api         *driven
	handler     http.Handler
	socket      string
	stop        context.CancelFunc // ends the server
	served      chan error

	once sync.Once
	err  error
}

// become makes this process the owner: it opens everything and answers on the socket. The lock belongs to it afterwards,
// unless there is an error.
func become(ctx context.Context, o Options, l *directory.Lock) (_ *owned, err error) {
	w := &owned{dir: o.Config.DataDir, lock: l, served: make(chan error, 1)}
	defer func() {
		if err != nil {
			_ = w.release(ctx) // err says more
			err = directory.Unusable(err, w.dir)
		}
	}()
	if err := w.announce(o); err != nil {
		return nil, err
	}
	if w.secrets, err = Providers(o.Config); err != nil {
		return nil, err
	}
	w.connections = connect(o.Config, w.secrets)
	set, err := localActions(w.connections)
	if o.server != nil {
		w.desk = new(desk)
		set, err = serverActions(o.server.as, o.server.OwnSteps, w.connections, w.desk)
	}
	if err != nil {
		return nil, err
	}
	key, err := seal.Open(w.dir)
	if err != nil {
		return nil, err
	}
	w.key = key
	if w.blobs, err = dir.Open(filepath.Join(w.dir, directory.BlobsDir)); err != nil {
		return nil, err
	}
	if w.store, err = sqlite.Open(ctx, sqlite.Config{Dir: w.dir}); err != nil {
		return nil, err
	}
	if o.server != nil {
		w.desk.shelf = newShelf(o.server.log)
	}
	w.actions = set
	if w.engine, err = w.drive(ctx, o, set, key); err != nil {
		return nil, err
	}
	if o.Observe {
		if err := w.engine.Govern(ctx, &guard.Rules{Version: "observe", Modes: []guard.Setting{{Mode: guard.ModeObserve}}}); err != nil {
			return nil, err
		}
	}
	if o.server != nil {
		if err := w.openDesk(ctx, o.server, w.desk, set, key); err != nil {
			return nil, err
		}
		if err := o.server.ship(ctx, w); err != nil {
			return nil, err
		}
		o.server.measure(w)
		if err := o.server.push(ctx); err != nil {
			return nil, err
		}
	}
	w.api = &driven{Service: w.engine}
	if o.Brief {
		return w, nil // nobody becomes its client, also not one who read the owner file too early
	}
	return w, w.answer(ctx, o)
}

// announce says in the owner file who has the lock now, before it answers: who finds somebody that answers finds here who
// that is.
func (w *owned) announce(o Options) error {
	me := directory.Owner{PID: os.Getpid(), Command: o.Command, Since: now().UTC(), Brief: o.Brief}
	if !o.Brief {
		var err error
		if w.socket, err = directory.SocketPath(w.dir, o.Getenv); err != nil {
			return err
		}
		me.Socket = w.socket
	}
	if o.server != nil {
		me.Address = o.server.address
	}
	return directory.WriteOwner(w.dir, me)
}

// drive opens the engine with its hands.
func (w *owned) drive(ctx context.Context, o Options, set *action.Set, key seal.Key) (*engine.Engine, error) {
	scratch, err := freshScratch(w.dir)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if o.server != nil {
		log = o.server.log
	}
	eval, live := expr.New(expr.Limits{}), new(runner.Live)
	c := runner.Config{
		Find: set.Find, Secrets: w.secrets, Scopes: o.Config.Secrets.Scoped(), Eval: eval, Blobs: w.blobs, Key: key, Egress: egress(o.Config.Egress),
		Scratch: scratch, Live: live, LogCap: int64(o.Config.LogCap), Logger: log, Runners: runners(o.Config),
	}
	if o.server != nil {
		w.callbacks = o.server.calledBack(key)
		c.Callback = w.callbacks.Address
	}
	if o.server != nil && o.server.as != nil {
		if c.Work, err = stepsDir(w.dir); err != nil {
			return nil, err
		}
		c.Give = o.server.as.Own
	}
	r := runner.New(c)
	host, _ := os.Hostname()
	var idle func(string, engine.Idle, bool)
	var confirm func(context.Context, *entry.RunCreated) (bool, string)
	if w.desk != nil {
		idle, confirm = w.desk.idle, w.desk.stillSo
	}
	var kept store.Store = w.store
	if o.server != nil {
		kept = o.server.metrics.Timed(kept)
	}
	return engine.Open(ctx, engine.Config{
		Store: kept, Blobs: w.blobs, Hands: hands{r}, Logs: logs{live}, Env: run.Env{Eval: eval, Spec: set.Spec}, Bind: eval,
		Key: key, Learn: r.Learn,
		Runners: func(name string) bool { return r.Check(name) == nil },
		Holder:  fmt.Sprintf("%s/%d", host, os.Getpid()), Log: log, All: o.server != nil, Governed: o.server != nil, Idle: idle, Confirm: confirm,
	})
}

// answer answers on the socket.
func (w *owned) answer(ctx context.Context, o Options) error {
	var l net.Listener
	var err error
	if l, err = directory.Listen(w.socket); err != nil {
		return err
	}
	c := httpapi.Config{Engine: w.api, House: w, User: UserName, Owner: os.Geteuid()}
	if o.server != nil {
		c.Handovers = w.desk.handovers.Load()
		c.Desk, c.Governor, c.Library = w.desk.dispatch.Load(), w.desk.governor, library{w.desk.shelf, w.engine}
		c.Repositories, c.Actions = w.desk.shelf.sync.Load(), w.actions
		if err := o.server.extend(ctx, &c, w); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	w.handler = httpapi.Handler(c)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	go func() { w.served <- httpapi.Serve(serving, l, w.handler) }()
	return nil
}

// close ends the owner in order, once.
func (w *owned) close(within time.Duration) error {
	w.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		w.err = w.release(ctx)
		w.lock.Release()
	})
	return w.err
}

// release closes what is open, newest first: no new requests, then no effects, then no writes. The socket goes before
// the lock, so that nobody removes the next owner's.
func (w *owned) release(ctx context.Context) error {
	var errs []error
	if w.stop != nil {
		w.stop()
		errs = append(errs, <-w.served)
		if err := os.Remove(w.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if w.desk != nil {
		errs = append(errs, w.desk.close(ctx))
	}
	if w.engine != nil {
		err := w.engine.Close(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			// Something did not stop in time. Its run shows as interrupted, and what it did is in doubt, when the
			// directory is opened again: nothing is told here that is not known.
			err = nil
		}
		errs = append(errs, err)
	}
	if w.desk != nil {
		errs = append(errs, w.desk.end(ctx))
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	if w.blobs != nil {
		errs = append(errs, w.blobs.Close())
	}
	return errors.Join(errs...)
}

// Verify implements httpapi.House.
func (w *owned) Verify(ctx context.Context) (wire.Verified, error) {
	streams, entries, damaged, err := w.store.Verify(ctx)
	if err == nil {
		var cut []error
		cut, err = archive.New(w.store).Sealed(ctx)
		damaged = append(damaged, cut...)
	}
	out := wire.Verified{Streams: streams, Entries: entries, Damaged: []wire.Problem{}}
	for _, d := range damaged {
		out.Damaged = append(out.Damaged, wire.NewProblem(d))
	}
	return out, err
}

// MissingSecrets implements httpapi.House.
func (w *owned) MissingSecrets(ctx context.Context, names []string) ([]wire.Problem, error) {
	var out []wire.Problem
	for _, n := range names {
		if _, err := w.secrets.Find(ctx, n); err != nil {
			out = append(out, wire.NewProblem(err))
		}
	}
	return out, nil
}

func egress(e config.Egress) action.Egress {
	return action.Egress{Loopback: !e.Only, Private: !e.Only, All: !e.Only, Allow: e.Allow}
}

// freshScratch empties what an earlier owner may have left behind in the middle of an attempt.
func freshScratch(dataDir string) (string, error) {
	name := filepath.Join(dataDir, "scratch")
	if err := os.RemoveAll(name); err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "clear %s", name)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		return "", directory.CannotWrite(err, dataDir, "write to the data directory")
	}
	return name, nil
}

// stepsFile leads to the directory where steps of another user work.
const stepsFile = "steps"

// stepsDir makes a directory for the scratch directories of steps that run as another user, who cannot get into the data
// directory: others may go through it and not look into it. What an earlier owner left is removed.
func stepsDir(dataDir string) (string, error) {
	link := filepath.Join(dataDir, stepsFile)
	if old, err := os.Readlink(link); err == nil && strings.HasPrefix(filepath.Base(old), "tend-steps-") {
		if err := os.RemoveAll(old); err != nil {
			return "", fault.Wrap(fault.Unavailable, err, "clear %s", old)
		}
		if err := os.Remove(link); err != nil {
			return "", directory.CannotWrite(err, dataDir, "write to the data directory")
		}
	}
	dir, err := os.MkdirTemp("", "tend-steps-*")
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // so that the other user can reach its own directories in it
	}
	if err == nil {
		err = os.Symlink(dir, link)
	}
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "make a directory for steps")
	}
	return dir, nil
}
