// Command yamux-peer is the other end of the yamux tests: hashicorp/yamux, or libp2p/go-yamux, over TCP or over a gorilla
// WebSocket.
//
// It takes commands on stdin, a line each, and answers each with a line of JSON. Whoever opens a stream writes a line
// first that says what the other end is to do with it (see serve).
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	libp2p "github.com/libp2p/go-yamux/v5"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

func main() {
	dial := flag.String("dial", "", "address or ws URL to dial; without it, listen on a free port of the loopback interface")
	ws := flag.Bool("ws", false, "speak WebSocket when listening")
	kind := flag.String("kind", "hashicorp", "whose yamux: hashicorp or libp2p")
	role := flag.String("role", "server", "yamux role")
	window := flag.Uint("window", 256*1024, "bytes of the receive window")
	keepalive := flag.Duration("keepalive", 0, "KeepAliveInterval; 0 for none")
	closeTimeout := flag.Duration("close-timeout", 5*time.Minute, "StreamCloseTimeout, of hashicorp/yamux alone")
	flag.Parse()

	conn, err := transport(*dial, *ws)
	if err != nil {
		log.Fatal(err)
	}
	session, err := newSession(*kind, conn, settings{
		client:       *role == "client",
		window:       uint32(*window),
		keepalive:    *keepalive,
		closeTimeout: *closeTimeout,
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			stream, err := session.accept()
			if err != nil {
				peer.Say("ended", map[string]any{"error": peer.TextOf(err)})
				return
			}
			go serve(stream)
		}
	}()
	peer.Commands(func(words []string) { obey(session, words) })
}

func transport(dial string, ws bool) (net.Conn, error) {
	if strings.HasPrefix(dial, "ws://") {
		conn, _, err := websocket.DefaultDialer.Dial(dial, nil)
		return wsconn.New(conn), err
	}
	if dial != "" {
		return net.Dial("tcp", dial)
	}
	listener, port := peer.Listen()
	peer.Say("listening", map[string]any{"port": port})
	if !ws {
		return listener.Accept()
	}
	upgraded := make(chan *websocket.Conn)
	go peer.ServeWebSockets(listener, func(conn *websocket.Conn) { upgraded <- conn })
	return wsconn.New(<-upgraded), nil
}

// serve does what the first line of a stream asks for:
//
//	echo          gives back what comes, and ends after the peer's end
//	sum           answers the peer's end with the count and SHA-256 of what came, and ends
//	source N W    sends N random bytes in writes of W, then their SHA-256, and ends
//	stall         reads nothing
//	leave         ends its half and reads nothing
//	report        reads to the end, and reports on stdout how it ended
//	reset N       resets the stream with the error code N (libp2p alone)
func serve(stream duplex) {
	reader := bufio.NewReaderSize(stream, 64*1024)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	words := strings.Fields(line)
	switch words[0] {
	case "echo":
		io.Copy(stream, reader)
		stream.CloseWrite()
	case "sum":
		hash := sha256.New()
		n, _ := io.Copy(hash, reader)
		fmt.Fprintf(stream, "%d %s", n, hex.EncodeToString(hash.Sum(nil)))
		stream.CloseWrite()
	case "source":
		n, _ := strconv.Atoi(words[1])
		w, _ := strconv.Atoi(words[2])
		source(stream, n, w)
		stream.CloseWrite()
		io.Copy(io.Discard, reader)
	case "stall":
	case "leave":
		stream.CloseWrite()
	case "reset":
		code, _ := strconv.ParseUint(words[1], 10, 32)
		stream.(*libp2p.Stream).ResetWithError(uint32(code))
	case "report":
		peer.Say("reading", nil)
		n, err := io.Copy(io.Discard, reader)
		peer.Say("report", map[string]any{"bytes": n, "error": peer.TextOf(err)})
		stream.CloseWrite()
	}
}

func source(w io.Writer, n, size int) {
	random := rand.New(rand.NewSource(int64(n)))
	hash := sha256.New()
	block := make([]byte, size)
	for n > 0 {
		if n < size {
			block = block[:n]
		}
		random.Read(block)
		hash.Write(block)
		if _, err := w.Write(block); err != nil {
			return
		}
		n -= len(block)
	}
	w.Write(hash.Sum(nil))
}

// obey carries out one command:
//
//	echo N S      opens N streams, sends S bytes each, ends, and counts those that came back whole
//	sum N W       opens a stream, sends N bytes in writes of W and ends; compares the SHA-256 in the answer
//	source N      opens a stream, reads N bytes and their SHA-256 from it
//	hold          opens a stream and waits for its end
//	ping, goaway, streams, close
func obey(session muxer, words []string) {
	number := func(i int) int {
		n, _ := strconv.Atoi(words[i])
		return n
	}
	switch words[0] {
	case "echo":
		peer.Say("echo", echo(session, number(1), number(2)))
	case "sum":
		peer.Say("sum", sum(session, number(1), number(2)))
	case "source":
		peer.Say("source", readSource(session, number(1)))
	case "hold":
		stream, err := session.open()
		if err == nil {
			_, err = stream.Write([]byte("hold\n"))
			go func() {
				_, err := io.Copy(io.Discard, stream)
				peer.Say("released", map[string]any{"error": peer.TextOf(err)})
			}()
		}
		peer.Say("hold", map[string]any{"error": peer.TextOf(err)})
	case "ping":
		rtt, err := session.Ping()
		peer.Say("ping", map[string]any{"ms": float64(rtt) / 1e6, "error": peer.TextOf(err)})
	case "goaway":
		peer.Say("goaway", map[string]any{"error": peer.TextOf(session.GoAway())})
	case "streams":
		peer.Say("streams", map[string]any{"count": session.NumStreams()})
	case "close":
		peer.Say("close", map[string]any{"error": peer.TextOf(session.Close())})
	}
}

func echo(session muxer, count, size int) map[string]any {
	var all sync.WaitGroup
	var lock sync.Mutex
	good := 0
	var firstError any
	for i := 0; i < count; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			err := echoOne(session, size)
			lock.Lock()
			defer lock.Unlock()
			if err == nil {
				good++
			} else if firstError == nil {
				firstError = err.Error()
			}
		}()
	}
	all.Wait()
	return map[string]any{"whole": good, "error": firstError}
}

func echoOne(session muxer, size int) error {
	stream, err := session.open()
	if err != nil {
		return err
	}
	payload := make([]byte, size)
	rand.Read(payload)
	if _, err := stream.Write(append([]byte("echo\n"), payload...)); err != nil {
		return err
	}
	stream.CloseWrite()
	back, err := io.ReadAll(stream)
	if err != nil {
		return err
	}
	if sha256.Sum256(back) != sha256.Sum256(payload) {
		return fmt.Errorf("%d other bytes came back", len(back))
	}
	return nil
}

func sum(session muxer, n, size int) map[string]any {
	stream, err := session.open()
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	stream.Write([]byte("sum\n"))
	random := rand.New(rand.NewSource(int64(n)))
	hash := sha256.New()
	block := make([]byte, size)
	for left := n; left > 0; left -= len(block) {
		if left < size {
			block = block[:left]
		}
		random.Read(block)
		hash.Write(block)
		if _, err := stream.Write(block); err != nil {
			return map[string]any{"error": err.Error()}
		}
	}
	stream.CloseWrite()
	answer, err := io.ReadAll(stream)
	expected := fmt.Sprintf("%d %s", n, hex.EncodeToString(hash.Sum(nil)))
	return map[string]any{"same": string(answer) == expected, "error": peer.TextOf(err)}
}

func readSource(session muxer, n int) map[string]any {
	stream, err := session.open()
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	fmt.Fprintf(stream, "source %d 65536\n", n)
	hash := sha256.New()
	if _, err := io.CopyN(hash, stream, int64(n)); err != nil {
		return map[string]any{"error": err.Error()}
	}
	digest, err := io.ReadAll(stream)
	stream.CloseWrite()
	return map[string]any{"same": string(digest) == string(hash.Sum(nil)), "error": peer.TextOf(err)}
}
