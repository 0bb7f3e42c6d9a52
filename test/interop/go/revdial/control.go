package main

import (
	"bufio"
	"encoding/json"
	"sync"
	"time"

	"ws-conn-adapter/test/interop/wsconn"
)

// The timings of ShellHub's pkg/revdial.
const (
	keepAliveInterval = 30 * time.Second
	keepAliveTimeout  = 35 * time.Second
	writeTimeout      = 10 * time.Second
	dialBackTimeout   = 20 * time.Second
)

type message struct {
	Command  string `json:"command,omitempty"`
	ConnPath string `json:"connPath,omitempty"`
	Err      string `json:"err,omitempty"`
}

// control is one end of a control connection.
type control struct {
	conn    *wsconn.Conn
	sending sync.Mutex
	done    chan struct{}
	once    sync.Once
}

func newControl(conn *wsconn.Conn) *control {
	return &control{conn: conn, done: make(chan struct{})}
}

// run sends keep-alives, and hands each message to on until the connection ends. It reads as Go's end does: a line that does
// not fit a bufio.Reader of the default size ends the connection, as does one that is not JSON.
func (c *control) run(on func(message)) {
	defer c.close()
	go func() {
		defer c.close()
		for c.send(message{Command: "keep-alive"}) == nil {
			select {
			case <-time.After(keepAliveInterval):
			case <-c.done:
				return
			}
		}
	}()
	lines := bufio.NewReader(c.conn)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line, &m) != nil {
			return
		}
		on(m)
	}
}

func (c *control) send(m message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return c.sendLine(append(line, '\n'))
}

func (c *control) sendLine(line []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.conn.Write(line)
	return err
}

func (c *control) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.conn.Close()
	})
}
