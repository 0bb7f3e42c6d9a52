// Package peer has what the Go ends of the interop tests share: how they listen, and the lines by which they and the test
// talk.
package peer

import (
	"bufio"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

var out sync.Mutex

// Print prints one line of JSON for the test.
func Print(value any) {
	out.Lock()
	defer out.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(value); err != nil {
		log.Fatal(err)
	}
}

// Say prints what has happened, with that name as "event".
func Say(event string, fields map[string]any) {
	line := map[string]any{"event": event}
	for name, value := range fields {
		line[name] = value
	}
	Print(line)
}

// TextOf returns the text of an error, or nil, for a field.
func TextOf(err error) any {
	if err == nil {
		return nil
	}
	return err.Error()
}

// Commands calls back for each line of the input, with its words, until the input ends.
func Commands(do func(words []string)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		do(strings.Fields(lines.Text()))
	}
}

// Listen listens on a free port of the loopback interface, and returns the port too.
func Listen() (net.Listener, int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener, listener.Addr().(*net.TCPAddr).Port
}

// ServeWebSockets takes each WebSocket that a client opens.
func ServeWebSockets(listener net.Listener, take func(*websocket.Conn)) {
	upgrader := websocket.Upgrader{}
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			take(conn)
		}
	})))
}
