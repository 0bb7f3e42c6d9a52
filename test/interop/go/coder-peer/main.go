// Command coder-peer is a server of coder/websocket with all its defaults, for one WebSocket: it reads message by message and
// reports what it has read once reading ends. It prints {"event":"listening","port":N}, and takes commands on stdin:
//
//	flood N    sends N bytes in messages of 32 KiB
//	ping MS    sends a ping and waits so many ms for the pong that belongs to it; without it, it gives the WebSocket up
package main

import (
	"context"
	"log"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"ws-conn-adapter/test/interop/peer"
)

var pongs atomic.Int64

func main() {
	listener, port := peer.Listen()
	accepted := make(chan *websocket.Conn)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			OnPongReceived: func(context.Context, []byte) { pongs.Add(1) },
		})
		if err != nil {
			log.Fatal(err)
		}
		accepted <- conn
		read(conn)
	}))
	peer.Say("listening", map[string]any{"port": port})
	conn := <-accepted
	peer.Commands(func(words []string) {
		n, _ := strconv.Atoi(words[1])
		switch words[0] {
		case "flood":
			flood(conn, n)
		case "ping":
			ping(conn, time.Duration(n)*time.Millisecond)
		}
	})
}

func read(conn *websocket.Conn) {
	bytes := 0
	for {
		_, message, err := conn.Read(context.Background())
		bytes += len(message)
		if err != nil {
			peer.Say("read", map[string]any{"bytes": bytes, "error": err.Error()})
			conn.CloseNow()
			return
		}
	}
}

func flood(conn *websocket.Conn, n int) {
	message := make([]byte, 32*1024)
	for ; n > 0; n -= len(message) {
		if conn.Write(context.Background(), websocket.MessageBinary, message) != nil {
			break
		}
	}
	peer.Say("flood", nil)
}

func ping(conn *websocket.Conn, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := conn.Ping(ctx)
	peer.Say("ping", map[string]any{"error": peer.TextOf(err), "pongs": pongs.Load()})
	if err != nil {
		conn.CloseNow()
	}
}
