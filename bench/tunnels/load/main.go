// Command load is both ends of what the case "tunnels" measures: the target that tunnels lead to, and the clients that
// connect to their near ends. It prints the port of the target, and then answers each line of its input with a line of
// figures, or with `error` and why:
//
//	up PORT BYTES SIZE         megabytes a second that the target takes, in writes of SIZE
//	down PORT BYTES            megabytes a second that the target sends
//	trips PORT COUNT           µs of the median round trip of one byte, and of the 99th percentile
//	conns PORT COUNT AT_ONCE   connections a second: open, an echo of 1 KiB, close
//	many PORT CONNS BYTES      megabytes a second of so many uploads at once
//	beside PORT SECONDS trips  kilobytes a second of an upload as they come, and the ms of the median round trip beside
//	                           it; with `alone` for `trips` there are none
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
)

func main() {
	target, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(target.port)
	commands := map[string]func(words []string) (string, error){
		"up": func(w []string) (string, error) { return rate(upload(w[0], number(w[1]), number(w[2]))) },
		"down": func(w []string) (string, error) {
			return rate(download(w[0], number(w[1])))
		},
		"trips": func(w []string) (string, error) { return trips(w[0], number(w[1])) },
		"conns": func(w []string) (string, error) {
			return connections(w[0], number(w[1]), number(w[2]))
		},
		"many": func(w []string) (string, error) { return rate(many(w[0], number(w[1]), number(w[2]))) },
		"beside": func(w []string) (string, error) {
			return beside(target, w[0], number(w[1]), w[2] == "trips")
		},
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		answer, err := commands[words[0]](words[1:])
		if err != nil {
			answer = "error " + err.Error()
		}
		fmt.Println(answer)
	}
}

func number(word string) int {
	value, err := strconv.Atoi(word)
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func rate(megabytes float64, err error) (string, error) {
	return fmt.Sprintf("%.3f", megabytes), err
}

func dial(port string) (*net.TCPConn, error) {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
