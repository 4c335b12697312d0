// Command lookup looks names up once a second until all of them resolve, prints their
// addresses, and then waits: what a pod sees of the cluster's DNS.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-ended
		os.Exit(0)
	}()
	for _, name := range os.Args[1:] {
		for {
			addresses, err := net.LookupHost(name)
			if err == nil {
				fmt.Println(name, strings.Join(addresses, " "))
				break
			}
			fmt.Fprintln(os.Stderr, err)
			time.Sleep(time.Second)
		}
	}
	select {}
}
