package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/yamux"
	"github.com/multiformats/go-multistream"
	"golang.org/x/crypto/ssh"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

// server is the server's end of the device that has connected last.
type server struct {
	lock    sync.Mutex
	ws      *websocket.Conn
	session *yamux.Session
}

func startServer() *server {
	s := &server{}
	listener, port := peer.Listen()
	peer.Say("listening", map[string]any{"port": port})
	go peer.ServeWebSockets(listener, func(ws *websocket.Conn) {
		session, err := yamux.Client(wsconn.New(ws), config())
		if err == nil {
			s.lock.Lock()
			s.ws, s.session = ws, session
			s.lock.Unlock()
			peer.Say("device", nil)
		}
	})
	return s
}

func (s *server) device() (*websocket.Conn, *yamux.Session) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.ws, s.session
}

// obey carries out one command. LOGIN is a user, a password, and the SHA-256 of the host key in hex.
//
//	ssh COUNT PARALLEL BYTES LOGIN   logs in that often; on each, cat gives so many bytes back
//	hold ID LOGIN                    logs in, starts cat, and says "released" when that has ended
//	close ID                         closes that session by /ssh/close/1.0.0
//	http HOST PORT PATH              sends a GET through /http/proxy/1.0.0
//	open COUNT                       says when so many streams are open
//	drop                             ends the WebSocket as gorilla does it, without a Close frame
func (s *server) obey(words []string) {
	ws, session := s.device()
	number := func(i int) int {
		n, _ := strconv.Atoi(words[i])
		return n
	}
	switch words[0] {
	case "ssh":
		ok, failures := sshMany(session, number(1), number(2), number(3), words[4:])
		peer.Say("ssh", map[string]any{"ok": ok, "failures": failures})
	case "hold":
		peer.Say("hold", map[string]any{"error": peer.TextOf(hold(session, words[1], words[2:]))})
	case "close":
		peer.Say("close", map[string]any{"error": peer.TextOf(closeSession(session, words[1]))})
	case "http":
		body, err := get(session, words[1], words[2], words[3])
		peer.Say("http", map[string]any{"body": body, "error": peer.TextOf(err)})
	case "open":
		for session.NumStreams() != number(1) {
			time.Sleep(time.Millisecond)
		}
		peer.Say("open", nil)
	case "drop":
		peer.Say("drop", map[string]any{"error": peer.TextOf(ws.Close())})
	}
}

// open opens a stream for a protocol, and writes the line at once behind the agreement.
func open(session *yamux.Session, protocol string, line map[string]string) (net.Conn, error) {
	stream, err := session.Open()
	if err != nil {
		return nil, err
	}
	err = multistream.SelectProtoOrFail(protocol, stream)
	if err == nil {
		err = json.NewEncoder(stream).Encode(line)
	}
	return stream, err
}

// logIn is an SSH client that does not wait for the device's first byte: its own follow the line at once.
func logIn(session *yamux.Session, id string, login []string) (*ssh.Client, error) {
	stream, err := open(session, sshOpen, map[string]string{"id": id})
	if err != nil {
		return nil, err
	}
	conn, channels, requests, err := ssh.NewClientConn(stream, "device", &ssh.ClientConfig{
		User: login[0],
		Auth: []ssh.AuthMethod{ssh.Password(login[1])},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			sum := sha256.Sum256(key.Marshal())
			if hex.EncodeToString(sum[:]) != login[2] {
				return errors.New("another host key")
			}
			return nil
		},
	})
	if err != nil {
		stream.Close()
		return nil, err
	}
	return ssh.NewClient(conn, channels, requests), nil
}

func sshMany(session *yamux.Session, count, parallel, size int, login []string) (ok int, failures []string) {
	failures = []string{}
	jobs := make(chan int)
	results := make(chan error)
	for i := 0; i < parallel; i++ {
		go func() {
			for job := range jobs {
				results <- catOnce(session, fmt.Sprint("session-", job), size, login)
			}
		}()
	}
	go func() {
		for job := 0; job < count; job++ {
			jobs <- job
		}
		close(jobs)
	}()
	for i := 0; i < count; i++ {
		if err := <-results; err == nil {
			ok++
		} else {
			failures = append(failures, err.Error())
		}
	}
	return ok, failures
}

func catOnce(session *yamux.Session, id string, size int, login []string) error {
	client, err := logIn(session, id, login)
	if err != nil {
		return err
	}
	defer client.Close()
	run, err := client.NewSession()
	if err != nil {
		return err
	}
	sent := make([]byte, size)
	rand.Read(sent)
	run.Stdin = bytes.NewReader(sent)
	got, err := run.Output("cat")
	if err == nil && sha256.Sum256(got) != sha256.Sum256(sent) {
		err = fmt.Errorf("%d other bytes came back", len(got))
	}
	return err
}

func hold(session *yamux.Session, id string, login []string) error {
	client, err := logIn(session, id, login)
	if err != nil {
		return err
	}
	run, err := client.NewSession()
	if err != nil {
		return err
	}
	if _, err := run.StdinPipe(); err != nil {
		return err
	}
	if err := run.Start("cat"); err != nil {
		return err
	}
	go func() {
		err := client.Wait()
		client.Close()
		peer.Say("released", map[string]any{"id": id, "error": peer.TextOf(err)})
	}()
	return nil
}

func closeSession(session *yamux.Session, id string) error {
	stream, err := open(session, sshClose, map[string]string{"id": id})
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(io.Discard, stream)
	return err
}

// get reads the device's line as ShellHub's server did for long: with a decoder that reads ahead and is dropped.
func get(session *yamux.Session, host, port, path string) (string, error) {
	stream, err := open(session, httpProxy, map[string]string{"id": "request", "host": host, "port": port})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var answer map[string]string
	if err := json.NewDecoder(io.LimitReader(stream, 512)).Decode(&answer); err != nil {
		return "", err
	}
	if answer["status"] != "ok" {
		return "", errors.New(answer["error"])
	}
	request, err := http.NewRequest(http.MethodGet, "http://device"+path, nil)
	if err != nil {
		return "", err
	}
	if err := request.Write(stream); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(stream), request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
