// Command coder-peer is a server of coder/websocket with all its defaults, for one WebSocket: it reads message by message and
// reports what it has read once reading ends. It prints {"event":"listening","port":N}, and takes commands on stdin:
//
//	flood N    sends N bytes in messages of 32 KiB
//	ping MS    sends a ping and waits so many ms for the pong that belongs to it; without it, it gives the WebSocket up
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

var (
	out   sync.Mutex
	pongs atomic.Int64
)

func say(event string, fields map[string]any) {
	fields["event"] = event
	line, _ := json.Marshal(fields)
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func textOf(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
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
	say("listening", map[string]any{"port": listener.Addr().(*net.TCPAddr).Port})
	conn := <-accepted
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		words := strings.Fields(commands.Text())
		n, _ := strconv.Atoi(words[1])
		switch words[0] {
		case "flood":
			flood(conn, n)
		case "ping":
			ping(conn, time.Duration(n)*time.Millisecond)
		}
	}
}

func read(conn *websocket.Conn) {
	bytes := 0
	for {
		_, message, err := conn.Read(context.Background())
		bytes += len(message)
		if err != nil {
			say("read", map[string]any{"bytes": bytes, "error": err.Error()})
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
	say("flood", map[string]any{})
}

func ping(conn *websocket.Conn, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := conn.Ping(ctx)
	say("ping", map[string]any{"error": textOf(err), "pongs": pongs.Load()})
	if err != nil {
		conn.CloseNow()
	}
}
