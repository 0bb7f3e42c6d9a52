package main

import (
	"context"
	"io"
	"net"
	"time"

	hashicorp "github.com/hashicorp/yamux"
	libp2p "github.com/libp2p/go-yamux/v5"
)

// muxer is what both implementations of yamux have, by whatever names.
type muxer interface {
	open() (duplex, error)
	accept() (duplex, error)
	Ping() (time.Duration, error)
	GoAway() error
	NumStreams() int
	Close() error
}

type duplex interface {
	io.ReadWriter
	// CloseWrite ends this half; the other one stays open.
	CloseWrite() error
}

// settings are those that the flags name.
type settings struct {
	client       bool
	window       uint32
	keepalive    time.Duration
	closeTimeout time.Duration
}

func newSession(kind string, conn net.Conn, s settings) (muxer, error) {
	if kind == "libp2p" {
		return newLibp2p(conn, s)
	}
	return newHashicorp(conn, s)
}

type hashicorpSession struct{ *hashicorp.Session }

// hashicorpStream has a Close that ends one half.
type hashicorpStream struct{ *hashicorp.Stream }

func newHashicorp(conn net.Conn, s settings) (muxer, error) {
	config := hashicorp.DefaultConfig()
	config.LogOutput = io.Discard
	config.MaxStreamWindowSize = s.window
	config.EnableKeepAlive = s.keepalive > 0
	if s.keepalive > 0 {
		config.KeepAliveInterval = s.keepalive
	}
	config.StreamCloseTimeout = s.closeTimeout
	if s.client {
		made, err := hashicorp.Client(conn, config)
		return hashicorpSession{made}, err
	}
	made, err := hashicorp.Server(conn, config)
	return hashicorpSession{made}, err
}

func (s hashicorpSession) open() (duplex, error) {
	made, err := s.OpenStream()
	return hashicorpStream{made}, err
}

func (s hashicorpSession) accept() (duplex, error) {
	made, err := s.AcceptStream()
	return hashicorpStream{made}, err
}

func (s hashicorpStream) CloseWrite() error { return s.Close() }

type libp2pSession struct{ *libp2p.Session }

func newLibp2p(conn net.Conn, s settings) (muxer, error) {
	config := libp2p.DefaultConfig()
	config.LogOutput = io.Discard
	config.InitialStreamWindowSize = s.window
	config.EnableKeepAlive = s.keepalive > 0
	if s.keepalive > 0 {
		config.KeepAliveInterval = s.keepalive
	}
	if s.client {
		made, err := libp2p.Client(conn, config, nil)
		return libp2pSession{made}, err
	}
	made, err := libp2p.Server(conn, config, nil)
	return libp2pSession{made}, err
}

func (s libp2pSession) open() (duplex, error) {
	return s.OpenStream(context.Background())
}

func (s libp2pSession) accept() (duplex, error) {
	return s.AcceptStream()
}
