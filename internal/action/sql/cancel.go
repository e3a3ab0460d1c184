package sql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// canceller asks the server to end the statement when the step is to end, until the server confirms it: a request that
// comes before the statement has begun is lost there.
type canceller struct {
	conn *pgconn.PgConn
	stop context.CancelFunc
	over chan struct{} // closed when no request is on its way
}

// inFlight is how long a request may take from the server's answer to the session that it is for. Nothing else is sent
// in this time, which it could end.
const inFlight = 100 * time.Millisecond

// HandleCancel implements ctxwatch.Handler.
func (c *canceller) HandleCancel(context.Context) {
	deadline := time.Now().Add(cancelGrace)
	_ = c.conn.Conn().SetDeadline(deadline) // then nobody knows
	ctx, stop := context.WithDeadline(context.Background(), deadline)
	c.stop, c.over = stop, make(chan struct{})
	go func() {
		defer close(c.over)
		for pause := inFlight; ctx.Err() == nil; pause *= 2 {
			_ = c.conn.CancelRequest(ctx) // whether it worked is seen by the statement
			<-time.After(inFlight)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}()
}

// HandleUnwatchAfterCancel implements ctxwatch.Handler.
func (c *canceller) HandleUnwatchAfterCancel() {
	c.stop()
	<-c.over
	_ = c.conn.Conn().SetDeadline(time.Time{})
}
