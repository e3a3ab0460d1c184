package app

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// notifier tells the service manager how a server stands, by the protocol of sd_notify(3). Without a socket it is silent.
type notifier struct{ socket string }

func (n notifier) tell(log *slog.Logger, state string) {
	if n.socket == "" {
		return
	}
	name := n.socket
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		name = "\x00" + rest // in the abstract name space
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err == nil {
		_, err = c.Write([]byte(state))
		_ = c.Close()
	}
	if err != nil {
		log.Warn("tell the service manager", "error", err)
	}
}

// watch tells the service manager that the server lives, twice in each interval that it asks for, as long as alive says so.
// The channel closes when ctx has ended.
func (n notifier) watch(ctx context.Context, log *slog.Logger, interval string, alive func(context.Context) error) <-chan struct{} {
	done := make(chan struct{})
	usec, err := strconv.ParseInt(interval, 10, 64)
	if n.socket == "" || err != nil || usec <= 0 {
		close(done)
		return done
	}
	every := time.Duration(usec) * time.Microsecond / 2
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			asked, cancel := context.WithTimeout(ctx, every)
			err := alive(asked)
			cancel()
			if err == nil {
				n.tell(log, "WATCHDOG=1")
			} else if ctx.Err() == nil {
				log.Error("the engine does not answer: the watchdog is not fed", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return done
}
