package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type callOptions struct {
	target   string
	rate     int
	dialRate int
	timeout  time.Duration
}

func parseCall(arguments []string) (callOptions, error) {
	var o callOptions
	flags := flag.NewFlagSet("performer call", flag.ContinueOnError)
	flags.IntVar(&o.rate, "rate", 120, "calls a second on one channel that is kept")
	flags.IntVar(&o.dialRate, "dial-rate", 10, "calls a second, each on a channel of its own")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Second, "a call without an answer has failed")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() != 1 || o.rate <= 0 || o.dialRate <= 0 {
		return o, fmt.Errorf("call [flags] HOST:PORT with rates above 0 is expected")
	}
	o.target = flags.Arg(0)
	return o, nil
}

// call checks the health of the target until the context ends, at fixed rates however long the
// answers take, and prints what it counted as a line of JSON a second.
//
// Both kinds of channel are as grpc.NewClient makes them: no retry policy, no waiting for readiness.
// What such a client does by itself is part of what is measured: it connects again when the server
// says goodbye (GOAWAY), and sends anew what that server says it has not begun
// (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries).
func call(ctx context.Context, o callOptions, out io.Writer) error {
	kept, err := dial(o.target)
	if err != nil {
		return err
	}
	defer kept.Close()
	counted := tally{answered: map[string]int{}, failed: map[string]int{}}
	var running sync.WaitGroup
	begin := func(check func(context.Context) (string, error)) {
		running.Add(1)
		go func() {
			defer running.Done()
			limited, cancel := context.WithTimeout(context.Background(), o.timeout)
			defer cancel()
			counted.add(check(limited))
		}()
	}
	onKept := time.NewTicker(time.Second / time.Duration(o.rate))
	onNew := time.NewTicker(time.Second / time.Duration(o.dialRate))
	report := time.NewTicker(time.Second)
	for {
		select {
		case <-onKept.C:
			begin(func(limited context.Context) (string, error) { return check(limited, kept) })
		case <-onNew.C:
			begin(func(limited context.Context) (string, error) {
				fresh, err := dial(o.target)
				if err != nil {
					return "", err
				}
				defer fresh.Close()
				return check(limited, fresh)
			})
		case <-report.C:
			counted.print(out)
		case <-ctx.Done():
			running.Wait()
			counted.print(out)
			return nil
		}
	}
}

func dial(target string) (*grpc.ClientConn, error) {
	return grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// check returns the version of the performer that answered.
func check(ctx context.Context, channel *grpc.ClientConn) (string, error) {
	var says metadata.MD
	request := &healthpb.HealthCheckRequest{}
	answer, err := healthpb.NewHealthClient(channel).Check(ctx, request, grpc.Header(&says))
	if err != nil {
		return "", err
	}
	if answer.Status != healthpb.HealthCheckResponse_SERVING {
		return "", fmt.Errorf("the answer is %s", answer.Status)
	}
	if versions := says.Get("x-performer-version"); len(versions) == 1 {
		return versions[0], nil
	}
	return "", fmt.Errorf("the answer carries no version")
}

// tally counts the calls of one second by the version that answered and by what went wrong.
type tally struct {
	mutex    sync.Mutex
	answered map[string]int
	failed   map[string]int
}

func (t *tally) add(version string, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err != nil {
		t.failed[fmt.Sprintf("%s: %s", status.Code(err), err)]++
	} else {
		t.answered[version]++
	}
}

func (t *tally) print(out io.Writer) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	json.NewEncoder(out).Encode(map[string]any{
		"at": time.Now().UTC(), "answered": t.answered, "failed": t.failed,
	})
	t.answered, t.failed = map[string]int{}, map[string]int{}
}
