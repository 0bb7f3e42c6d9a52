module ws-conn-adapter/test/interop

go 1.23.0

require (
	github.com/coder/websocket v1.8.13
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/yamux v0.1.2
	github.com/libp2p/go-yamux/v5 v5.1.0
	github.com/multiformats/go-multistream v0.6.1
	github.com/multiformats/go-multistream-0.2 v0.2.2
	golang.org/x/crypto v0.35.0
	golang.org/x/net v0.35.0
)

require (
	github.com/libp2p/go-buffer-pool v0.0.2 // indirect
	github.com/multiformats/go-varint v0.0.6 // indirect
	golang.org/x/sys v0.30.0 // indirect
)

// The last minor version that lists protocols with ls, beside the one of now.
replace github.com/multiformats/go-multistream-0.2 => github.com/multiformats/go-multistream v0.2.2
