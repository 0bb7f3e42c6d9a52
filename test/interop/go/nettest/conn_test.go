// Package nettest runs the conformance suite of Go's own connections over a tunnel: what dials the one end of it and accepts at
// the other has a net.Conn, or not.
package nettest

import (
	"flag"
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

var (
	listen = flag.String("listen", "", "address that the tunnel connects to")
	dial   = flag.String("dial", "", "address that the tunnel listens on")
)

func TestTunnel(t *testing.T) {
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	nettest.TestConn(t, func() (near, far net.Conn, stop func(), err error) {
		near, err = net.Dial("tcp", *dial)
		if err != nil {
			return nil, nil, nil, err
		}
		far, err = listener.Accept()
		if err != nil {
			near.Close()
			return nil, nil, nil, err
		}
		stop = func() {
			near.Close()
			far.Close()
		}
		return near, far, stop, nil
	})
}
