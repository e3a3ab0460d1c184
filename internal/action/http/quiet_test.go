package http_test

import (
	"io"
	"log"
)

// quiet swallows what servers say of handshakes that fail on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
