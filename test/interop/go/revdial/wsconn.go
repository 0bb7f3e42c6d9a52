package main

import (
	"errors"
	"io"
	"sync"

	"github.com/gorilla/websocket"
)

// wsConn makes bytes of binary messages. Its Close is gorilla's: it ends TCP and sends no Close frame.
type wsConn struct {
	ws      *websocket.Conn
	reading sync.Mutex
	writing sync.Mutex
	message io.Reader
}

func newConn(ws *websocket.Conn) *wsConn {
	return &wsConn{ws: ws}
}

func (c *wsConn) Read(into []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
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
	return n, err
}

func (c *wsConn) Write(from []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.ws.WriteMessage(websocket.BinaryMessage, from); err != nil {
		return 0, err
	}
	return len(from), nil
}

func (c *wsConn) Close() error {
	return c.ws.Close()
}
