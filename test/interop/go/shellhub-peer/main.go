// Command shellhub-peer is the Go end of the tests of ShellHub's second wire: a WebSocket, hashicorp/yamux on it, of which the
// server is the client, on each stream multistream-select, then one line of JSON and the payload. It stands in for ShellHub's
// agent and server, whose modules the Go module proxy does not serve.
//
//	shellhub-peer agent URL SSHD   keeps a WebSocket to URL; its SSH server is the one that listens at SSHD
//	shellhub-peer server           takes the WebSockets of devices
//
// It prints what happens, a line of JSON each, and takes commands: see obey of both. The end of the input ends it, so that no peer outlives its test.
package main

import (
	"io"
	"log"
	"os"
	"time"

	"github.com/hashicorp/yamux"

	"ws-conn-adapter/test/interop/peer"
)

const (
	sshOpen   = "/ssh/open/1.0.0"
	sshClose  = "/ssh/close/1.0.0"
	httpProxy = "/http/proxy/1.0.0"
)

// config is that of both of ShellHub's ends.
func config() *yamux.Config {
	return &yamux.Config{
		AcceptBacklog:          256,
		EnableKeepAlive:        true,
		KeepAliveInterval:      35 * time.Second,
		ConnectionWriteTimeout: 15 * time.Second,
		MaxStreamWindowSize:    256 * 1024,
		StreamCloseTimeout:     5 * time.Minute,
		StreamOpenTimeout:      75 * time.Second,
		LogOutput:              io.Discard,
	}
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "agent":
		a := &agent{sshd: os.Args[3]}
		go a.run(os.Args[2])
		peer.Commands(a.obey)
	case len(os.Args) == 2 && os.Args[1] == "server":
		server := startServer()
		peer.Commands(func(words []string) { go server.obey(words) })
	default:
		log.Fatal("usage: shellhub-peer agent URL SSHD | server")
	}
}
