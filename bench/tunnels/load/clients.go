package main

import (
	"fmt"
	"io"
	"net"
	"sort"
	"sync"
	"time"
)

const pieceSize = 262144

// limit is the longest that one question may take: what hangs is an error, and no figure.
const limit = 60 * time.Second

func send(conn net.Conn, bytes int, size int) error {
	piece := make([]byte, size)
	for bytes > 0 {
		if bytes < size {
			piece = piece[:bytes]
		}
		n, err := conn.Write(piece)
		if err != nil {
			return err
		}
		bytes -= n
	}
	return nil
}

func open(port string, kind byte, length int) (*net.TCPConn, error) {
	conn, err := dial(port)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(limit))
	if _, err := conn.Write(header(kind, length)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func upload(port string, bytes int, size int) (float64, error) {
	conn, err := open(port, sink, bytes)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	start := time.Now()
	if err := send(conn, bytes, size); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return 0, err
	}
	return megabytes(bytes, start), nil
}

func download(port string, bytes int) (float64, error) {
	start := time.Now()
	conn, err := open(port, source, bytes)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	buffer := make([]byte, pieceSize)
	for left := bytes; left > 0; {
		n, err := conn.Read(buffer)
		if err != nil {
			return 0, err
		}
		left -= n
	}
	return megabytes(bytes, start), nil
}

func megabytes(bytes int, since time.Time) float64 {
	return float64(bytes) / 1e6 / time.Since(since).Seconds()
}

func many(port string, count int, bytes int) (float64, error) {
	start := time.Now()
	err := atOnce(count, func(int) error {
		_, err := upload(port, bytes, 65536)
		return err
	})
	return megabytes(count*bytes, start), err
}

// trip sends some bytes, and waits until they have come back.
func trip(conn net.Conn, bytes []byte) error {
	if _, err := conn.Write(bytes); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, bytes)
	return err
}

func trips(port string, count int) (string, error) {
	conn, err := open(port, echo, 0)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	one := []byte{1}
	// The first finds the connection still being made.
	if err := trip(conn, one); err != nil {
		return "", err
	}
	times := make([]time.Duration, count)
	for i := range times {
		start := time.Now()
		if err := trip(conn, one); err != nil {
			return "", err
		}
		times[i] = time.Since(start)
	}
	return fmt.Sprintf("%.1f %.1f", microseconds(times, 50), microseconds(times, 99)), nil
}

func microseconds(times []time.Duration, percentile int) float64 {
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	return float64(times[(len(times)-1)*percentile/100].Nanoseconds()) / 1e3
}

func connections(port string, count int, workers int) (string, error) {
	start := time.Now()
	err := atOnce(workers, func(worker int) error {
		body := make([]byte, 1024)
		for i := worker; i < count; i += workers {
			if err := visit(port, body); err != nil {
				return err
			}
		}
		return nil
	})
	return fmt.Sprintf("%.2f", float64(count)/time.Since(start).Seconds()), err
}

func visit(port string, body []byte) error {
	conn, err := open(port, echo, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	return trip(conn, body)
}

// atOnce does it in so many goroutines, and returns the first error.
func atOnce(count int, do func(i int) error) error {
	var all sync.WaitGroup
	errors := make(chan error, count)
	for i := range count {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := do(i); err != nil {
				errors <- err
			}
		}()
	}
	all.Wait()
	close(errors)
	return <-errors
}
