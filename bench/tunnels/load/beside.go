package main

import (
	"fmt"
	"time"
)

// pause is the time between two round trips beside an upload.
const pause = 50 * time.Millisecond

// endless is more than any link carries in the time that is measured.
const endless = 1 << 40

// beside measures an upload that never ends as its bytes come to the target, and the round trips of another connection
// meanwhile. The first third of the time does not count: queues on the way fill in it.
func beside(t *target, port string, seconds int, withTrips bool) (string, error) {
	bulk, err := open(port, sink, endless)
	if err != nil {
		return "", err
	}
	defer bulk.Close()
	go send(bulk, endless, 65536)
	whole := time.Duration(seconds) * time.Second
	begin := time.Now().Add(whole / 3)
	end := begin.Add(whole - whole/3)
	took := make(chan []time.Duration, 1)
	if withTrips {
		go func() { took <- tripsUntil(port, begin, end) }()
	} else {
		took <- nil
	}
	time.Sleep(time.Until(begin))
	start, before := time.Now(), t.sunk.Load()
	time.Sleep(time.Until(end))
	kilobytes := float64(t.sunk.Load()-before) / 1e3 / time.Since(start).Seconds()
	times := <-took
	if len(times) == 0 {
		return fmt.Sprintf("%.3f", kilobytes), nil
	}
	return fmt.Sprintf("%.3f %.3f", kilobytes, microseconds(times, 50)/1e3), nil
}

// tripsUntil returns the round trips that ended in that time. One that is still under way at the end counts with what it
// has waited: queues may be too long for any to come back.
func tripsUntil(port string, begin time.Time, end time.Time) []time.Duration {
	var times []time.Duration
	conn, err := open(port, echo, 0)
	if err != nil {
		return times
	}
	defer conn.Close()
	conn.SetDeadline(end)
	bytes := make([]byte, 64)
	for time.Now().Before(end) {
		start := time.Now()
		err := trip(conn, bytes)
		if time.Now().After(begin) {
			times = append(times, time.Since(start))
		}
		if err != nil {
			break
		}
		time.Sleep(pause)
	}
	return times
}
