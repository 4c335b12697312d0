// Command performer is a gRPC server with the standard health service that misbehaves when told to,
// and with `call` as its first argument a client of such a server.
// See ../README.md for its flags and its control port.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// stopTimeout is how long calls under way may take after SIGTERM.
const stopTimeout = 10 * time.Second

type options struct {
	port        string
	controlPort string
	version     string
	mode        string
	listenAfter time.Duration
	neverListen bool
	crashAfter  time.Duration
	exitCode    int
}

func main() {
	log.SetFlags(log.LstdFlags | log.LUTC | log.Lmicroseconds)
	signalled, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "call" {
		given, err := parseCall(os.Args[2:])
		exitIfWrong(err)
		exitIfFailed(call(signalled, given, os.Stdout))
		return
	}
	given, err := parse(os.Args[1:], os.LookupEnv)
	exitIfWrong(err)
	exitIfFailed(run(signalled, given))
}

func exitIfWrong(err error) {
	if err == flag.ErrHelp {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "performer:", err)
		os.Exit(2)
	}
}

func exitIfFailed(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// parse reads flags; the environment variable of a flag (--crash-after: CRASH_AFTER) is its default.
func parse(arguments []string, env func(string) (string, bool)) (options, error) {
	var o options
	flags := flag.NewFlagSet("performer", flag.ContinueOnError)
	flags.StringVar(&o.port, "port", "9090", "gRPC port")
	flags.StringVar(&o.controlPort, "control-port", "9091", "HTTP port of the control calls")
	flags.StringVar(&o.version, "version", "unknown", "what x-performer-version says")
	flags.StringVar(&o.mode, "mode", "serve", "serve; fail: NOT_SERVING; hang: never answer")
	flags.DurationVar(&o.listenAfter, "listen-after", 0, "listen on the gRPC port after this time")
	flags.BoolVar(&o.neverListen, "never-listen", false, "never listen on the gRPC port")
	flags.DurationVar(&o.crashAfter, "crash-after", 0, "end after this time; 0: never")
	flags.IntVar(&o.exitCode, "exit-code", 1, "exit code of --crash-after")
	var wrong error
	flags.VisitAll(func(f *flag.Flag) {
		variable := variableOf(f.Name)
		if value, found := env(variable); found {
			if err := f.Value.Set(value); err != nil && wrong == nil {
				wrong = fmt.Errorf("%s=%q: %w", variable, value, err)
			}
		}
	})
	if wrong != nil {
		return o, wrong
	}
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("flags only are expected, found %q", flags.Arg(0))
	}
	return o, nil
}

func variableOf(flag string) string {
	return strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func run(signalled context.Context, o options) error {
	performer := newPerformer(o.version)
	if err := performer.set(o.mode); err != nil {
		return err
	}
	control, err := net.Listen("tcp", ":"+o.controlPort)
	if err != nil {
		return err
	}
	go serveControl(control, performer)
	if o.crashAfter > 0 {
		crash(o.crashAfter, o.exitCode)
	}
	failed := make(chan error, 1)
	if !o.neverListen {
		time.AfterFunc(o.listenAfter, func() { failed <- performer.listen(":" + o.port) })
	}
	select {
	case err := <-failed:
		return err
	case <-signalled.Done():
		log.Print("stopping")
		performer.stop(stopTimeout)
		return nil
	}
}

// crash ends the process after a while, without any goodbye.
func crash(after time.Duration, code int) {
	time.AfterFunc(after, func() {
		log.Printf("crashing with exit code %d", code)
		os.Exit(code)
	})
}
