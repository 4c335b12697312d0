package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/retry"
)

// retryOnConflict counts one object up from several goroutines at a time.
func retryOnConflict(s *session) (seen, error) {
	const writers, steps = 4, 5
	configMaps := s.typed.CoreV1().ConfigMaps(s.namespace)
	if _, err := configMaps.Create(s.ctx, configMap("counter", "counter", "0"), metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	var conflicts atomic.Int32
	var group sync.WaitGroup
	failed := make([]error, writers)
	backoff := retry.DefaultBackoff
	backoff.Steps = 100
	for writer := range writers {
		group.Go(func() {
			for range steps {
				failed[writer] = errors.Join(failed[writer], retry.RetryOnConflict(backoff, func() error {
					counter, err := configMaps.Get(s.ctx, "counter", metav1.GetOptions{})
					if err != nil {
						return err
					}
					value, err := strconv.Atoi(counter.Data["value"])
					if err != nil {
						return err
					}
					counter.Data["value"] = strconv.Itoa(value + 1)
					_, err = configMaps.Update(s.ctx, counter, metav1.UpdateOptions{})
					if apierrors.IsConflict(err) {
						conflicts.Add(1)
					}
					return err
				}))
			}
		})
	}
	group.Wait()
	counter, err := configMaps.Get(s.ctx, "counter", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return seen{"value": counter.Data["value"], "conflicts": conflicts.Load() > 0}, errors.Join(failed...)
}

// apply applies one object as two managers: the second is refused, forces, and then gives it back.
func apply(s *session) (seen, error) {
	configMaps := s.typed.CoreV1().ConfigMaps(s.namespace)
	wanted := func(data map[string]string) *corev1apply.ConfigMapApplyConfiguration {
		return corev1apply.ConfigMap("applied", s.namespace).WithData(data)
	}
	first := metav1.ApplyOptions{FieldManager: "first"}
	second := metav1.ApplyOptions{FieldManager: "second"}
	if _, err := configMaps.Apply(s.ctx, wanted(map[string]string{"a": "1", "b": "1"}), first); err != nil {
		return nil, err
	}
	_, refusal := configMaps.Apply(s.ctx, wanted(map[string]string{"a": "2"}), second)
	var status apierrors.APIStatus
	if !errors.As(refusal, &status) || !apierrors.IsConflict(refusal) {
		return nil, fmt.Errorf("expected a conflict, got %v", refusal)
	}
	causes := []string{}
	for _, cause := range status.Status().Details.Causes {
		causes = append(causes, fmt.Sprintf("%s %s: %s", cause.Type, cause.Field, cause.Message))
	}
	second.Force = true
	forced, err := configMaps.Apply(s.ctx, wanted(map[string]string{"a": "2"}), second)
	if err != nil {
		return nil, err
	}
	managers := []string{}
	for _, entry := range forced.ManagedFields {
		managers = append(managers, fmt.Sprintf("%s %s %s", entry.Manager, entry.Operation, entry.FieldsV1))
	}
	slices.Sort(managers)
	extracted, err := corev1apply.ExtractConfigMap(forced, "second")
	if err != nil {
		return nil, err
	}
	removed, err := configMaps.Apply(s.ctx, wanted(map[string]string{}), second)
	if err != nil {
		return nil, err
	}
	return seen{
		"message": refusal.Error(), "causes": causes, "forced": forced.Data, "managers": managers,
		"extracted": extracted.Data, "afterRemoval": removed.Data,
	}, nil
}

// refused collects what the server says to requests that are wrong.
func refused(s *session) (seen, error) {
	configMaps := s.typed.CoreV1().ConfigMaps(s.namespace)
	_, missing := configMaps.Get(s.ctx, "missing", metav1.GetOptions{})
	_, again := configMaps.Create(s.ctx, configMap("counter", "counter", "0"), metav1.CreateOptions{})
	_, invalid := configMaps.Create(s.ctx, configMap("errors", "Not_A_Name", "0"), metav1.CreateOptions{})
	_, patch := configMaps.Patch(s.ctx, "counter", types.JSONPatchType,
		[]byte(`[{"op": "test", "path": "/data/value", "value": "no"}]`), metav1.PatchOptions{})
	stale := configMap("counter", "counter", "0")
	stale.ResourceVersion = "1"
	_, conflict := configMaps.Update(s.ctx, stale, metav1.UpdateOptions{})
	answers := seen{}
	for name, err := range map[string]error{
		"missing": missing, "again": again, "invalid": invalid, "patch": patch, "conflict": conflict,
	} {
		answers[name] = fmt.Sprintf("%s: %v", reason(err), err)
	}
	return answers, nil
}
