package main

import (
	"encoding/json"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/multiformats/go-multistream"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

// retryDelay is ten seconds in ShellHub's agent.
const retryDelay = 100 * time.Millisecond

// agent is the device's end.
type agent struct {
	sshd string
	// open has the SSH connections by their ids.
	open sync.Map
	// held is there while lines are not read; it is closed to read them.
	held atomic.Pointer[chan struct{}]
	// session is the one of now.
	session atomic.Pointer[yamux.Session]
}

// obey carries out one command:
//
//	hold   agrees on the protocol of each stream from now on, says "agreed", and reads nothing more
//	read   reads those again
//	ping   sends a ping of yamux, whose answer comes behind whatever the other end has done with what came before
func (a *agent) obey(words []string) {
	var err error
	switch words[0] {
	case "hold":
		held := make(chan struct{})
		a.held.Store(&held)
	case "read":
		close(*a.held.Swap(nil))
	case "ping":
		_, err = a.session.Load().Ping()
	}
	peer.Say(words[0], map[string]any{"error": peer.TextOf(err)})
}

// run keeps a WebSocket to the URL, and says when it has one and when it has lost it.
func (a *agent) run(url string) {
	mux := multistream.NewMultistreamMuxer[string]()
	mux.AddHandler(sshOpen, a.openSSH)
	mux.AddHandler(sshClose, a.closeSSH)
	mux.AddHandler(httpProxy, a.proxy)
	for ; ; time.Sleep(retryDelay) {
		ws, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			continue
		}
		session, err := yamux.Server(wsconn.New(ws), config())
		if err != nil {
			continue
		}
		a.session.Store(session)
		peer.Say("connected", nil)
		err = accept(session, mux)
		session.Close()
		peer.Say("lost", map[string]any{"error": peer.TextOf(err)})
	}
}

func accept(session *yamux.Session, mux *multistream.MultistreamMuxer[string]) error {
	for {
		stream, err := session.Accept()
		if err != nil {
			return err
		}
		go func() {
			if mux.Handle(stream) != nil {
				stream.Close()
			}
		}()
	}
}

// fields reads the line of JSON as ShellHub's agent did for long: with a decoder that takes what is there, 512 bytes and more,
// and that is dropped with all that it has read behind the line.
func (a *agent) fields(stream io.Reader) (map[string]string, error) {
	if held := a.held.Load(); held != nil {
		peer.Say("agreed", nil)
		<-*held
	}
	var line map[string]string
	err := json.NewDecoder(stream).Decode(&line)
	return line, err
}

func (a *agent) openSSH(_ string, stream io.ReadWriteCloser) error {
	defer stream.Close()
	line, err := a.fields(stream)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", a.sshd)
	if err != nil {
		return err
	}
	defer conn.Close()
	a.open.Store(line["id"], conn)
	defer a.open.Delete(line["id"])
	go func() {
		io.Copy(conn, stream)
		conn.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(stream, conn)
	return nil
}

func (a *agent) closeSSH(_ string, stream io.ReadWriteCloser) error {
	defer stream.Close()
	line, err := a.fields(stream)
	if err != nil {
		return err
	}
	if conn, ok := a.open.Load(line["id"]); ok {
		conn.(net.Conn).Close()
	}
	return nil
}

// proxy ends both directions when one has ended, as ShellHub's does.
func (a *agent) proxy(_ string, stream io.ReadWriteCloser) error {
	defer stream.Close()
	line, err := a.fields(stream)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(line["host"], line["port"]))
	if err != nil {
		return json.NewEncoder(stream).Encode(map[string]string{"error": "failed to dial to the address and port"})
	}
	defer conn.Close()
	if err := json.NewEncoder(stream).Encode(map[string]string{"status": "ok"}); err != nil {
		return err
	}
	done := make(chan struct{}, 2)
	copy := func(to io.Writer, from io.Reader) {
		io.Copy(to, from)
		done <- struct{}{}
	}
	go copy(conn, stream)
	go copy(stream, conn)
	<-done
	return nil
}
