package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
)

// What a connection is for, which its first byte says, with eight bytes of a length behind it.
const (
	echo   = 'e'
	sink   = 's'
	source = 'f'
)

const headerSize = 9

func header(kind byte, length int) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, uint64(length))
}

// target is where the tunnels lead to.
type target struct {
	port int
	// sunk counts the bytes of all uploads.
	sunk atomic.Int64
}

func listen() (*target, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &target{port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go t.serve(conn)
		}
	}()
	return t, nil
}

func (t *target) serve(conn net.Conn) {
	defer conn.Close()
	var head [headerSize]byte
	// Tunnels may connect before there is somebody, or to see whether the target is there.
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	length := int(binary.BigEndian.Uint64(head[1:]))
	switch head[0] {
	case echo:
		bounce(conn)
	case sink:
		t.drain(conn, length)
	case source:
		if send(conn, length, pieceSize) == nil {
			// The client ends it, once it has all.
			conn.Read(head[:])
		}
	}
}

func bounce(conn net.Conn) {
	buffer := make([]byte, 65536)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err := conn.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// drain takes an upload, and confirms its last byte.
func (t *target) drain(conn net.Conn, length int) {
	buffer := make([]byte, pieceSize)
	for length > 0 {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		length -= n
		t.sunk.Add(int64(n))
	}
	conn.Write([]byte{'.'})
	conn.Read(buffer)
}
