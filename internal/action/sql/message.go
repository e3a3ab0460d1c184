package sql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tendhq/tend/internal/action"
)

// words turns what a server or a library says into what people may read: without secrets, because servers quote what they
// do not like, and without control characters.
type words struct{ action.Words }

// newWords knows every secret of the request, and what is sensitive although it was given as plain text.
func newWords(r action.Request, d *database) words {
	return words{action.NewWords(r, d.Password, d.URL, d.Key)}
}

// err is an error of the connection or the server's.
func (w words) err(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return w.server(pg)
	}
	text := innermost(err)
	if text == "EOF" || text == "unexpected EOF" {
		text = "the server closed it"
	}
	return w.Of(text)
}

// server is the server's message with its code and advice. The detail stays out: it quotes rows.
func (w words) server(pg *pgconn.PgError) string {
	text := fmt.Sprintf("%s (SQLSTATE %s)", strings.TrimSpace(pg.Message), pg.Code)
	if pg.Hint != "" {
		text += ". " + strings.TrimSpace(pg.Hint)
	}
	return w.Of(text)
}

// innermost gives the text of the last error in the chain: the ones around it repeat user, database and address.
func innermost(err error) string {
	for {
		if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
			err = joined.Unwrap()[0]
			continue
		}
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// place says in which line of the statement the server found the error.
func place(query string, pg *pgconn.PgError) string {
	at := int(pg.Position)
	runes := []rune(query)
	if at < 1 || at > len(runes)+1 {
		return ""
	}
	line := 1 + strings.Count(string(runes[:at-1]), "\n")
	return fmt.Sprintf(", at line %d of the query", line)
}
