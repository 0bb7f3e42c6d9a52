// Command multistream-peer is the other end of the multistream-select tests: multiformats/go-multistream over TCP, of now,
// and of the last version that lists protocols with ls (0.2).
//
// It prints {"event":"listening","port":N,"portOfOld":N}: what it accepts there it negotiates as the muxers of both versions
// do, for the protocols that -protocols names; then it writes "agreed on P\n", sends back what it reads, and ends after the
// other end. It takes commands on stdin, to dial and propose:
//
//	select ADDR P...   SelectOneOf; then it sends "payload" and ends, and reports what it has read
//	lazy ADDR P        NewMSSelect: "payload" leaves together with the proposal, before anybody has answered
//	ls ADDR            Ls of the old version
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strings"

	"github.com/multiformats/go-multistream"
	old "github.com/multiformats/go-multistream-0.2"

	"ws-conn-adapter/test/interop/peer"
)

const payload = "payload"

func main() {
	names := flag.String("protocols", "", "names, with commas between them")
	flag.Parse()

	current := multistream.NewMultistreamMuxer[string]()
	listing := old.NewMultistreamMuxer()
	for _, name := range strings.Split(*names, ",") {
		current.AddHandler(name, serve)
		listing.AddHandler(name, serve)
	}
	port := accept(func(conn net.Conn) error { return current.Handle(conn) })
	portOfOld := accept(func(conn net.Conn) error { return listing.Handle(conn) })
	peer.Say("listening", map[string]any{"port": port, "portOfOld": portOfOld})
	peer.Commands(func(words []string) {
		conn, err := net.Dial("tcp", words[1])
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		obey(conn.(*net.TCPConn), words[0], words[2:])
	})
}

// accept listens, and negotiates on each connection; it returns the port.
func accept(handle func(net.Conn) error) int {
	listener, port := peer.Listen()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go func() {
				defer conn.Close()
				err := handle(conn)
				peer.Say("handled", map[string]any{"error": peer.TextOf(err)})
			}()
		}
	}()
	return port
}

func serve(protocol string, stream io.ReadWriteCloser) error {
	if _, err := fmt.Fprintf(stream, "agreed on %s\n", protocol); err != nil {
		return err
	}
	_, err := io.Copy(stream, stream)
	return err
}

func obey(conn *net.TCPConn, command string, protocols []string) {
	switch command {
	case "select":
		protocol, err := multistream.SelectOneOf(protocols, io.ReadWriteCloser(conn))
		if err != nil {
			peer.Say(command, map[string]any{"error": err.Error()})
			return
		}
		_, err = io.WriteString(conn, payload)
		report(command, protocol, conn, conn, err)
	case "lazy":
		lazy := multistream.NewMSSelect(io.ReadWriteCloser(conn), protocols[0])
		_, err := io.WriteString(lazy, payload)
		report(command, protocols[0], conn, lazy, err)
	case "ls":
		names, err := old.Ls(conn)
		peer.Say(command, map[string]any{"names": names, "error": peer.TextOf(err)})
	}
}

// report ends the payload, reads that of the other end, and tells all.
func report(command, protocol string, conn *net.TCPConn, stream io.Reader, err error) {
	if err == nil {
		err = conn.CloseWrite()
	}
	var read []byte
	if err == nil {
		read, err = io.ReadAll(stream)
	}
	peer.Say(command, map[string]any{"protocol": protocol, "read": string(read), "error": peer.TextOf(err)})
}
