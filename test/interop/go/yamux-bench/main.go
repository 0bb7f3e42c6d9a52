// Command yamux-bench is one end of the Go-to-Go measurement: hashicorp/yamux over a gorilla WebSocket. Without -dial it
// prints its port and counts what comes. With -dial it does for each line `sink STREAMS BYTES SIZE` on its input what
// bench/sides/near.ts does. Either answers `usage` with its processor time and peak of memory.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

// Bytes of the line that opens each stream.
const head = 32

func main() {
	dial := flag.String("dial", "", "ws URL")
	flag.Parse()
	if *dial == "" {
		listen()
		return
	}
	conn, _, err := websocket.DefaultDialer.Dial(*dial, nil)
	if err != nil {
		log.Fatal(err)
	}
	session, err := yamux.Client(wsconn.New(conn), config())
	if err != nil {
		log.Fatal(err)
	}
	peer.Commands(func(words []string) {
		if words[0] == "usage" {
			usage()
			return
		}
		number := func(i int) int { n, _ := strconv.Atoi(words[i]); return n }
		fmt.Printf("{\"rate\":%f}\n", measure(session, number(1), number(2), number(3)))
	})
}

func config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	return config
}

func usage() {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
	fmt.Printf("{\"cpu\":%f,\"peak\":%f}\n", cpu, float64(used.Maxrss)/1024)
}

func listen() {
	listener, port := peer.Listen()
	fmt.Println(port)
	go peer.ServeWebSockets(listener, func(conn *websocket.Conn) {
		session, err := yamux.Server(wsconn.New(conn), config())
		if err != nil {
			return
		}
		for {
			stream, err := session.Accept()
			if err != nil {
				return
			}
			go sink(stream)
		}
	})
	peer.Commands(func([]string) { usage() })
}

func sink(stream net.Conn) {
	order := make([]byte, head)
	if _, err := io.ReadFull(stream, order); err != nil {
		return
	}
	bytes, _ := strconv.ParseInt(strings.Fields(string(order))[1], 10, 64)
	io.CopyN(io.Discard, stream, bytes)
	stream.Write([]byte("."))
	stream.Close()
}

func measure(session *yamux.Session, streams, bytes, size int) float64 {
	var done sync.WaitGroup
	chunk := make([]byte, size)
	start := time.Now()
	for i := 0; i < streams; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			stream, err := session.Open()
			if err != nil {
				log.Fatal(err)
			}
			fmt.Fprintf(stream, "%-*s", head, fmt.Sprintf("sink %d %d", bytes, size))
			for left := bytes; left > 0; left -= size {
				if _, err := stream.Write(chunk); err != nil {
					log.Fatal(err)
				}
			}
			io.ReadFull(stream, make([]byte, 1))
			stream.Close()
		}()
	}
	done.Wait()
	return float64(streams*bytes) / 1e6 / time.Since(start).Seconds()
}
