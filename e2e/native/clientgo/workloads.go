package main

import (
	"errors"
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
)

// image is that of the performers of the other tests: a real node has it.
const image = "localhost/performer:v1"

func deployment() *appsv1.Deployment {
	replicas, second := int32(2), int64(1)
	selected := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: selected},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: selected},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: &second,
					Affinity:                      &corev1.Affinity{NodeAffinity: notOnFakeNodes},
					Containers:                    []corev1.Container{{Name: "web", Image: image}},
				},
			},
		},
	}
}

// notOnFakeNodes keeps pods from nodes of KWOK, which have no logs.
var notOnFakeNodes = &corev1.NodeAffinity{
	RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: "type", Operator: corev1.NodeSelectorOpNotIn, Values: []string{"kwok"}},
			},
		}},
	},
}

// workloads makes a Deployment, waits for it by a watch, scales and patches it, reads a log and
// evicts a pod.
func workloads(s *session) (seen, error) {
	deployments := s.typed.AppsV1().Deployments(s.namespace)
	pods := s.typed.CoreV1().Pods(s.namespace)
	if _, err := deployments.Create(s.ctx, deployment(), metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	available := func(replicas int32) error {
		stream, err := deployments.Watch(s.ctx, metav1.ListOptions{FieldSelector: "metadata.name=web"})
		if err != nil {
			return err
		}
		return waitFor(stream, func(web *appsv1.Deployment) bool {
			return web.Status.ObservedGeneration == web.Generation &&
				web.Status.AvailableReplicas == replicas && web.Status.Replicas == replicas
		})
	}
	if err := available(2); err != nil {
		return nil, fmt.Errorf("two replicas: %w", err)
	}
	scale, err := deployments.GetScale(s.ctx, "web", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	scale.Spec.Replicas = 3
	if scale, err = deployments.UpdateScale(s.ctx, "web", scale, metav1.UpdateOptions{}); err != nil {
		return nil, err
	}
	if err := available(3); err != nil {
		return nil, fmt.Errorf("three replicas: %w", err)
	}
	patched, err := deployments.Patch(s.ctx, "web", types.StrategicMergePatchType, []byte(
		`{"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": "1"}]}]}}}}`,
	), metav1.PatchOptions{})
	if err != nil {
		return nil, err
	}
	if err := available(3); err != nil {
		return nil, fmt.Errorf("the rollout: %w", err)
	}
	list, err := pods.List(s.ctx, metav1.ListOptions{LabelSelector: "app=web", FieldSelector: "status.phase=Running"})
	if err != nil {
		return nil, err
	}
	pod := list.Items[0]
	stream, err := pods.GetLogs(pod.Name, &corev1.PodLogOptions{}).Stream(s.ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil {
		return nil, err
	}
	if err := pods.EvictV1(s.ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}}); err != nil {
		return nil, err
	}
	err = eventually(s.ctx, "the evicted pod is gone", func() (bool, error) {
		now, err := pods.Get(s.ctx, pod.Name, metav1.GetOptions{})
		return apierrors.IsNotFound(err) || err == nil && now.UID != pod.UID, nil
	})
	if err != nil {
		return nil, err
	}
	may, err := s.typed.AuthorizationV1().SelfSubjectAccessReviews().Create(s.ctx,
		&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: s.namespace, Verb: "create", Resource: "pods",
			},
		}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	token, err := s.typed.CoreV1().ServiceAccounts(s.namespace).CreateToken(s.ctx, "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return seen{
		"scaleSelector": scale.Status.Selector, "image": patched.Spec.Template.Spec.Containers[0].Image,
		"env": patched.Spec.Template.Spec.Containers[0].Env, "log": len(text) > 0,
		"mayCreatePods": may.Status.Allowed, "token": token.Status.Token != "",
	}, deployments.Delete(s.ctx, "web", metav1.DeleteOptions{})
}

// recordEvents records the same event three times by each of client-go's two recorders.
func recordEvents(s *session) (seen, error) {
	about, err := s.typed.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, "counter", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	old := record.NewBroadcaster()
	old.StartRecordingToSink(&v1.EventSinkImpl{Interface: s.typed.CoreV1().Events("")})
	recorder := old.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "clientgo"})
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Counted", "by the core recorder")
	}
	defer old.Shutdown()
	recent := events.NewBroadcaster(&events.EventSinkImpl{Interface: s.typed.EventsV1()})
	if err := recent.StartRecordingToSinkWithContext(s.ctx); err != nil {
		return nil, err
	}
	defer recent.Shutdown()
	second := recent.NewRecorder(scheme.Scheme, "example.com/clientgo")
	for range 3 {
		second.Eventf(about, nil, corev1.EventTypeNormal, "CountedAgain", "Count", "by the events recorder")
	}
	counts := seen{}
	err = eventually(s.ctx, "both events are recorded three times", func() (bool, error) {
		list, err := s.typed.CoreV1().Events(s.namespace).List(s.ctx, metav1.ListOptions{
			FieldSelector: "involvedObject.name=counter",
		})
		if err != nil {
			return false, err
		}
		clear(counts)
		for _, event := range list.Items {
			count := event.Count
			if event.Series != nil {
				count = event.Series.Count
			}
			counts[event.Reason] = count
		}
		return len(counts) == 2 && counts["Counted"] == int32(3), nil
	})
	if err != nil {
		return counts, errors.Join(err, fmt.Errorf("found %v", counts))
	}
	return seen{"counted": counts["Counted"], "reasons": len(counts)}, nil
}

// removeNamespace deletes the namespace and waits until it is gone.
func removeNamespace(s *session) (seen, error) {
	namespaces := s.typed.CoreV1().Namespaces()
	if err := namespaces.Delete(s.ctx, s.namespace, metav1.DeleteOptions{}); err != nil {
		return nil, err
	}
	return seen{"gone": true}, eventually(s.ctx, "the namespace is gone", func() (bool, error) {
		_, err := namespaces.Get(s.ctx, s.namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}
