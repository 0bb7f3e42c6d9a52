// Package wsconn gives a gorilla WebSocket the face of a net.Conn as ShellHub's wsconnadapter does it: each Write is a binary
// message, and Close is gorilla's, which ends TCP and sends no Close frame.
package wsconn

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Conn makes bytes of binary messages.
type Conn struct {
	ws      *websocket.Conn
	reading sync.Mutex
	writing sync.Mutex
	message io.Reader
}

// New takes the WebSocket over.
func New(ws *websocket.Conn) *Conn {
	return &Conn{ws: ws}
}

// Read gives bytes of one message; a text message is an error.
func (c *Conn) Read(into []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if c.message == nil {
			kind, message, err := c.ws.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errors.New("a message is not binary")
			}
			c.message = message
		}
		n, err := c.message.Read(into)
		if err == io.EOF {
			c.message = nil
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends one binary message.
func (c *Conn) Write(from []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ws.WriteMessage(websocket.BinaryMessage, from); err != nil {
		return 0, err
	}
	return len(from), nil
}

// LocalAddr gives the address of the TCP connection below.
func (c *Conn) LocalAddr() net.Addr {
	return c.ws.NetConn().LocalAddr()
}

// RemoteAddr gives the address of the TCP connection below.
func (c *Conn) RemoteAddr() net.Addr {
	return c.ws.NetConn().RemoteAddr()
}

// SetDeadline limits what follows.
func (c *Conn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}

// SetReadDeadline limits the reads that follow.
func (c *Conn) SetReadDeadline(at time.Time) error {
	return c.ws.SetReadDeadline(at)
}

// SetWriteDeadline limits the writes that follow.
func (c *Conn) SetWriteDeadline(at time.Time) error {
	return c.ws.SetWriteDeadline(at)
}

// Close ends TCP.
func (c *Conn) Close() error {
	return c.ws.Close()
}
