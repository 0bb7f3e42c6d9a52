// Command revdialpeer is the Go end of the interop tests of revdial. It stands in for ShellHub's pkg/revdial and
// pkg/wsconnadapter, whose module the Go module proxy does not serve: the same messages over gorilla/websocket, and ends
// without a Close frame, as gorilla's Conn.Close() makes them.
//
//	revdialpeer server        takes control connections and pick-ups; prints {"port":N}
//	revdialpeer device URL    opens a control connection to URL and serves what it picks up; prints {"connected":true}
//
// Orders come as lines of JSON on standard input, answers go as lines of JSON to standard output. The end of the
// input ends the process, so that no peer outlives its test.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

// order is one line from the test.
type order struct {
	Op       string `json:"op"`
	Count    int    `json:"count"`
	Parallel int    `json:"parallel"`
	Bytes    int    `json:"bytes"`
	Mode     string `json:"mode"`
	Line     string `json:"line"`
}

// obey reads orders until the input ends, and then exits.
func obey(do func(order)) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			log.Fatal(err)
		}
		go do(o)
	}
	os.Exit(0)
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "server":
		serve()
	case len(os.Args) == 3 && os.Args[1] == "device":
		runDevice(os.Args[2])
	default:
		log.Fatal("usage: revdialpeer server | device URL")
	}
}
