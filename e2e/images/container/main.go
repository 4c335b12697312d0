// Command container behaves as the image of a scenario does: BEHAVIOUR says it, in JSON.
// See ../README.md.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	terminationLog = "/dev/termination-log"
	// most is how much memory is taken in order to be killed for it.
	most = 512 << 20
)

func main() {
	began := time.Now()
	b, err := read()
	if err == nil && len(os.Args) > 1 {
		err = command(b, os.Args[1:])
	} else if err == nil {
		run(b, began)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "container:", err)
		os.Exit(2)
	}
}

// command does what probes and hooks run: `probe KIND` or `hook postStart|preStop`.
func command(b behaviour, words []string) error {
	switch {
	case len(words) == 2 && words[0] == "probe":
		a := b.answers(words[1])
		running, err := age()
		if err != nil || a.succeed(running) {
			return err
		}
		if a.Hangs {
			time.Sleep(time.Hour)
		}
		fmt.Print(a.Output)
		os.Exit(1)
	case len(words) == 2 && words[0] == "hook":
		h := map[string]hook{"postStart": b.PostStart, "preStop": b.PreStop}[words[1]]
		time.Sleep(seconds(h.Seconds))
		if h.Fails {
			fmt.Print(h.Output)
			os.Exit(h.Code)
		}
	default:
		return fmt.Errorf("unknown words: %q", words)
	}
	return nil
}

func run(b behaviour, began time.Time) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	fmt.Print(b.Log)
	held := take(b.Memory)
	for kind, port := range ports {
		go serve(b.answers(kind), port, began)
	}
	var end <-chan time.Time
	if b.ExitAfter != nil {
		end = time.After(time.Until(began.Add(seconds(*b.ExitAfter))))
	}
	var stop <-chan time.Time
	for {
		select {
		case <-end:
			if b.OutOfMemory {
				held = append(held, take(most)...)
			}
			leave(b, b.ExitCode)
		case <-stop:
			leave(b, b.StopCode)
		case <-terminated:
			if b.StopAfter != nil && stop == nil {
				stop = time.After(seconds(*b.StopAfter))
			}
		}
	}
}

// take uses so many bytes of memory, page by page.
func take(bytes int64) []byte {
	taken := make([]byte, bytes)
	for page := int64(0); page < bytes; page += 4096 {
		taken[page] = 1
	}
	return taken
}

func leave(b behaviour, code int) {
	if b.TerminationMessage != "" {
		if err := os.WriteFile(terminationLog, []byte(b.TerminationMessage), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, "container:", err)
		}
	}
	os.Exit(code)
}
