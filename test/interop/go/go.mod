module ws-conn-adapter/test/interop

go 1.21

require (
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/yamux v0.1.2
)
