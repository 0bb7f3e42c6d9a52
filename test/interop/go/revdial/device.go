package main

import (
	"context"
	"io"
	"log"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

// runDevice serves what it picks up: it sends back what comes ("echo"), sends some bytes and closes ("greet"), fails to pick
// anything up ("refuse"), or does not even try ("ignore").
func runDevice(url string) {
	var mode atomic.Value
	mode.Store(order{Mode: "echo"})
	ws, _, err := websocket.DefaultDialer.Dial(url+"/ssh/connection", nil)
	if err != nil {
		log.Fatal(err)
	}
	c := newControl(wsconn.New(ws))
	peer.Print(map[string]any{"connected": true})
	silence := time.AfterFunc(keepAliveTimeout, c.close)
	go func() {
		c.run(func(m message) {
			switch m.Command {
			case "keep-alive":
				silence.Reset(keepAliveTimeout)
			case "conn-ready":
				go pickUp(c, url, m.ConnPath, mode.Load().(order))
			}
		})
		peer.Print(map[string]any{"control": "closed"})
	}()
	obey(func(o order) {
		switch o.Op {
		case "mode":
			mode.Store(o)
			peer.Print(map[string]any{"mode": o.Mode})
		case "drop-control":
			c.close()
		}
	})
}

func pickUp(c *control, url, path string, mode order) {
	ctx, cancel := context.WithTimeout(context.Background(), dialBackTimeout)
	defer cancel()
	if mode.Mode == "ignore" {
		peer.Print(map[string]any{"ignored": path})
		return
	}
	if mode.Mode == "refuse" {
		// Nobody listens on port 1.
		url = "ws://127.0.0.1:1"
	}
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, url+path, nil)
	if err != nil {
		_ = c.send(message{Command: "pickup-failed", ConnPath: path, Err: err.Error()})
		return
	}
	conn := wsconn.New(ws)
	defer conn.Close()
	if mode.Mode == "greet" {
		_, _ = conn.Write(bytesOf(mode.Bytes))
		return
	}
	_, _ = io.Copy(conn, conn)
}
