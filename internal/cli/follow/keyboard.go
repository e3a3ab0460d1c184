package follow

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// keyboard reads lines that a person types, without holding up anything else. One goroutine reads as long as the
// program lives: a read from a terminal cannot be taken back.
type keyboard struct {
	lines chan string // closed at the end of input
}

func newKeyboard(r io.Reader) *keyboard {
	k := &keyboard{lines: make(chan string)}
	go func() {
		defer close(k.lines)
		in := bufio.NewReaderSize(r, 4096)
		for {
			line, err := in.ReadString('\n')
			if line != "" && len(line) < 1<<16 {
				k.lines <- strings.TrimRight(line, "\r\n")
			}
			if err != nil {
				return
			}
		}
	}()
	return k
}

// question is asked on the terminal. Answer gets what was typed and tells whether it was understood; else the question
// is asked again.
type question struct {
	task   string // "" for stepping
	path   string
	prompt string
	answer func(ctx context.Context, line string) (done bool, err error)
}
