package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"ws-conn-adapter/test/interop/peer"
	"ws-conn-adapter/test/interop/wsconn"
)

// dialer is the server's end of one control connection. It has the faults of ShellHub's that a device can see: a pick-up
// that nobody waits for is accepted and left alone, and a failure reaches whichever dial waits.
type dialer struct {
	*control
	id       string
	incoming sync.Map
	failed   chan error
}

var (
	dialers  sync.Map
	latest   = make(chan *dialer, 64)
	upgrader = websocket.Upgrader{}
)

func serve() {
	http.HandleFunc("/ssh/connection", takeControl)
	http.HandleFunc("/ssh/revdial", takePickUp)
	listener, port := peer.Listen()
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	peer.Print(map[string]any{"port": port})
	d := make(chan *dialer, 1)
	go func() {
		for next := range latest {
			select {
			case <-d:
			default:
			}
			d <- next
		}
	}()
	current := func() *dialer {
		now := <-d
		d <- now
		return now
	}
	obey(func(o order) {
		switch o.Op {
		case "dial":
			peer.Print(current().dialMany(o))
		case "line":
			_ = current().sendLine([]byte(o.Line))
		case "drop-control":
			current().close()
		}
	})
}

func randomHex() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return fmt.Sprintf("%x", id)
}

func takeControl(w http.ResponseWriter, r *http.Request) {
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	d := &dialer{control: newControl(wsconn.New(ws)), id: randomHex(), failed: make(chan error)}
	dialers.Store(d.id, d)
	latest <- d
	d.run(func(m message) {
		if m.Command != "pickup-failed" {
			return
		}
		select {
		case d.failed <- errors.New(m.Err):
		case <-d.done:
		}
	})
	dialers.Delete(d.id)
	peer.Print(map[string]any{"control": "closed"})
}

func takePickUp(w http.ResponseWriter, r *http.Request) {
	d, ok := dialers.Load(r.FormValue("revdial.dialer"))
	if !ok {
		http.Error(w, "unknown dialer", http.StatusBadRequest)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	waiting, ok := d.(*dialer).incoming.Load(r.FormValue("uuid"))
	if !ok {
		return
	}
	waiting.(chan *wsconn.Conn) <- wsconn.New(ws)
}

func (d *dialer) dial(ctx context.Context) (*wsconn.Conn, error) {
	uuid := randomHex()
	incoming := make(chan *wsconn.Conn, 1)
	d.incoming.Store(uuid, incoming)
	defer d.incoming.Delete(uuid)
	err := d.send(message{
		Command:  "conn-ready",
		ConnPath: "/ssh/revdial?revdial.dialer=" + d.id + "&uuid=" + uuid,
	})
	if err != nil {
		return nil, err
	}
	select {
	case conn := <-incoming:
		return conn, nil
	case err := <-d.failed:
		return nil, fmt.Errorf("pick-up failed: %w", err)
	case <-d.done:
		return nil, errors.New("control connection closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dialMany dials, so many at once, and checks on each connection that what it sends comes back. It closes as a Go program
// does that is done.
func (d *dialer) dialMany(o order) map[string]any {
	places := make(chan struct{}, o.Parallel)
	results := make(chan error, o.Count)
	for i := 0; i < o.Count; i++ {
		places <- struct{}{}
		go func() {
			results <- d.dialOnce(o.Bytes)
			<-places
		}()
	}
	ok, failures := 0, []string{}
	for i := 0; i < o.Count; i++ {
		if err := <-results; err != nil {
			failures = append(failures, err.Error())
		} else {
			ok++
		}
	}
	return map[string]any{"ok": ok, "failures": failures}
}

func (d *dialer) dialOnce(length int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	sent := bytesOf(length)
	go func() { _, _ = io.Copy(conn, struct{ io.Reader }{bytes.NewReader(sent)}) }()
	sum := sha256.New()
	if _, err := io.CopyN(sum, conn, int64(length)); err != nil {
		return err
	}
	if want := sha256.Sum256(sent); !bytes.Equal(sum.Sum(nil), want[:]) {
		return errors.New("what came back is not what was sent")
	}
	return nil
}

// bytesOf makes bytes that show where one is missing: numbers in four bytes each, one after the other.
func bytesOf(length int) []byte {
	made := make([]byte, length)
	for i := range made {
		made[i] = byte((i / 4) >> (8 * (i % 4)))
	}
	return made
}
