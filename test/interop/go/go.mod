module ws-conn-adapter/test/interop

go 1.23

require (
	github.com/coder/websocket v1.8.13
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/yamux v0.1.2
	github.com/libp2p/go-yamux/v5 v5.1.0
	golang.org/x/net v0.35.0
)

require github.com/libp2p/go-buffer-pool v0.0.2 // indirect
