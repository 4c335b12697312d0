package main

import (
	"io"
	"net"
	"strconv"
	"time"
)

var ports = map[string]string{"startup": ":9001", "readiness": ":9002", "liveness": ":9003"}

// serve answers the probes of a kind on its port: it is closed while they fail, unless it is said
// what HTTP answers then.
func serve(a answers, port string, began time.Time) {
	var listener net.Listener
	for ; ; time.Sleep(50 * time.Millisecond) {
		succeeds := a.succeed(time.Since(began))
		open := succeeds || a.Status != 0 || a.Hangs
		if open && listener == nil {
			// Another container of the pod may have the port.
			if found, err := net.Listen("tcp", port); err == nil {
				listener = found
				go accept(listener, a, began)
			}
		}
		if !open && listener != nil {
			listener.Close()
			listener = nil
		}
	}
}

func accept(listener net.Listener, a answers, began time.Time) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(connection, a, a.succeed(time.Since(began)))
	}
}

func answer(connection net.Conn, a answers, succeeds bool) {
	defer connection.Close()
	// A probe over TCP says nothing and goes.
	if _, err := connection.Read(make([]byte, 4096)); err != nil {
		return
	}
	if !succeeds && a.Hangs {
		time.Sleep(time.Hour)
	}
	status := "200 OK"
	if !succeeds && a.Status != 0 {
		status = strconv.Itoa(a.Status) + " Said"
	}
	io.WriteString(connection, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
