package main

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// elect runs two candidates for one Lease; the first leads, gives it up, and the second leads.
func elect(s *session) (seen, error) {
	leading := make(chan string, 2)
	candidate := func(ctx context.Context, identity string) <-chan struct{} {
		ended := make(chan struct{})
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "leader", Namespace: s.namespace},
			Client:     s.typed.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}
		go func() {
			defer close(ended)
			leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
				Lock: lock, Name: identity, ReleaseOnCancel: true,
				LeaseDuration: 4 * time.Second, RenewDeadline: 3 * time.Second,
				RetryPeriod: 500 * time.Millisecond,
				Callbacks: leaderelection.LeaderCallbacks{
					OnStartedLeading: func(context.Context) { leading <- identity },
					OnStoppedLeading: func() {},
				},
			})
		}()
		return ended
	}
	leader := func() (string, error) {
		select {
		case name := <-leading:
			return name, nil
		case <-time.After(20 * time.Second):
			return "", errors.New("nobody leads")
		}
	}
	ctx, giveUp := context.WithCancel(s.ctx)
	defer giveUp()
	ended := candidate(ctx, "a")
	first, err := leader()
	if err != nil {
		return nil, err
	}
	candidate(s.ctx, "b")
	// Long enough for b to find the Lease taken.
	time.Sleep(time.Second)
	giveUp()
	<-ended
	second, err := leader()
	if err != nil {
		return nil, err
	}
	lease, err := s.typed.CoordinationV1().Leases(s.namespace).Get(s.ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return seen{
		"leaders": []string{first, second}, "holder": lease.Spec.HolderIdentity,
		"transitions": lease.Spec.LeaseTransitions, "leaseDurationSeconds": lease.Spec.LeaseDurationSeconds,
	}, nil
}
