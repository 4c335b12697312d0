package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// performer serves grpc.health.v1; every answer carries its version as x-performer-version.
type performer struct {
	server *grpc.Server
	health *health.Server
	hangs  atomic.Bool
}

func newPerformer(version string) *performer {
	p := &performer{health: health.NewServer()}
	says := metadata.Pairs("x-performer-version", version)
	p.server = grpc.NewServer(
		grpc.UnaryInterceptor(func(
			ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
		) (any, error) {
			if err := p.hang(ctx); err != nil {
				return nil, err
			}
			if err := grpc.SetHeader(ctx, says); err != nil {
				return nil, err
			}
			return handle(ctx, request)
		}),
		grpc.StreamInterceptor(func(
			service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler,
		) error {
			if err := p.hang(stream.Context()); err != nil {
				return err
			}
			if err := stream.SetHeader(says); err != nil {
				return err
			}
			return handle(service, stream)
		}),
	)
	healthpb.RegisterHealthServer(p.server, p.health)
	return p
}

// hang returns at once unless the performer hangs, and then only when the caller has given up.
func (p *performer) hang(ctx context.Context) error {
	if !p.hangs.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// set changes the mode for the calls that come from now on.
func (p *performer) set(mode string) error {
	switch mode {
	case "serve", "hang":
		p.health.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
	case "fail":
		p.health.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	default:
		return fmt.Errorf("mode: serve, fail or hang is expected, found %q", mode)
	}
	p.hangs.Store(mode == "hang")
	log.Printf("mode %s", mode)
	return nil
}

// listen serves until stop.
func (p *performer) listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Printf("serving gRPC on %s", listener.Addr())
	return p.server.Serve(listener)
}

// stop takes no new calls and lets those under way end, for a while.
func (p *performer) stop(timeout time.Duration) {
	forced := time.AfterFunc(timeout, p.server.Stop)
	defer forced.Stop()
	p.server.GracefulStop()
}
