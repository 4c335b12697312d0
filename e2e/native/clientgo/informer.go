package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

func configMap(part string, name string, data string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"part": part}},
		Data:       map[string]string{"value": data},
	}
}

// inform runs a shared informer over three objects of before, and over a change, a creation and a
// deletion. It reports what its handlers were called with, and whether it streamed its list.
func inform(s *session) (seen, error) {
	configMaps := s.typed.CoreV1().ConfigMaps(s.namespace)
	for _, name := range []string{"before-1", "before-2", "before-3"} {
		if _, err := configMaps.Create(s.ctx, configMap("informer", name, "1"), metav1.CreateOptions{}); err != nil {
			return nil, err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.typed, 0,
		informers.WithNamespace(s.namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = "part=informer"
		}))
	var mutex sync.Mutex
	initial, later := []string{}, []string{}
	informer := factory.Core().V1().ConfigMaps().Informer()
	handler := cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, isInInitialList bool) {
			mutex.Lock()
			defer mutex.Unlock()
			name := object.(*corev1.ConfigMap).Name
			if isInInitialList {
				initial = append(initial, name)
			} else {
				later = append(later, "added "+name)
			}
		},
		UpdateFunc: func(_, object any) {
			mutex.Lock()
			defer mutex.Unlock()
			changed := object.(*corev1.ConfigMap)
			later = append(later, "updated "+changed.Name+" to "+changed.Data["value"])
		},
		DeleteFunc: func(object any) {
			mutex.Lock()
			defer mutex.Unlock()
			later = append(later, "deleted "+object.(*corev1.ConfigMap).Name)
		},
	}
	if _, err := informer.AddEventHandler(handler); err != nil {
		return nil, err
	}
	factory.Start(s.ctx.Done())
	if !cache.WaitForCacheSync(s.ctx.Done(), informer.HasSynced) {
		return nil, errors.New("the informer does not sync")
	}
	if _, err := configMaps.Update(s.ctx, configMap("informer", "before-1", "2"), metav1.UpdateOptions{}); err != nil {
		return nil, err
	}
	if _, err := configMaps.Create(s.ctx, configMap("informer", "after", "1"), metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	if err := configMaps.Delete(s.ctx, "before-2", metav1.DeleteOptions{}); err != nil {
		return nil, err
	}
	err := eventually(s.ctx, "three events of the informer", func() (bool, error) {
		mutex.Lock()
		defer mutex.Unlock()
		return len(later) >= 3, nil
	})
	mutex.Lock()
	defer mutex.Unlock()
	slices.Sort(initial)
	return seen{
		"initial": initial, "later": later, "cached": len(informer.GetStore().List()),
		"streamed": s.traffic.streamed("/api/v1/namespaces/" + s.namespace + "/configmaps"),
	}, err
}

// bookmarks watches as a reflector does: with the objects there are first, then the bookmark that
// ends them, then what happens, and a bookmark before the server ends the watch.
func bookmarks(s *session) (seen, error) {
	yes, seconds := true, int64(3)
	stream, err := s.typed.CoreV1().ConfigMaps(s.namespace).Watch(s.ctx, metav1.ListOptions{
		LabelSelector: "part=informer", AllowWatchBookmarks: true, SendInitialEvents: &yes,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, TimeoutSeconds: &seconds,
	})
	if err != nil {
		return nil, err
	}
	defer stream.Stop()
	got := []string{}
	for event := range stream.ResultChan() {
		object, isConfigMap := event.Object.(*corev1.ConfigMap)
		switch {
		case !isConfigMap:
			return nil, fmt.Errorf("%s with %T", event.Type, event.Object)
		case event.Type != watch.Bookmark:
			got = append(got, string(event.Type)+" "+object.Name)
		case object.Annotations[metav1.InitialEventsAnnotationKey] == "true":
			got = append(got, "BOOKMARK that ends the initial events")
		case object.ResourceVersion == "":
			return nil, errors.New("a bookmark without a resourceVersion")
		}
	}
	return seen{"events": got}, nil
}

// expired asks for a past that is gone and a future that is not there yet.
func expired(s *session) (seen, error) {
	configMaps := s.typed.CoreV1().ConfigMaps(s.namespace)
	_, tooLarge := configMaps.List(s.ctx, metav1.ListOptions{
		ResourceVersion:      "1000000000",
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	_, badToken := configMaps.List(s.ctx, metav1.ListOptions{Limit: 1, Continue: "nonsense"})
	return seen{
		"tooLarge": reason(tooLarge), "isTimeout": apierrors.IsTimeout(tooLarge),
		"badToken": reason(badToken), "isBadRequest": apierrors.IsBadRequest(badToken),
	}, nil
}

func reason(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return fmt.Sprintf("%T %v", err, err)
	}
	return fmt.Sprintf("%d %s", status.Status().Code, status.Status().Reason)
}

// waitFor watches from a list until the condition holds of an object, as `kubectl wait` does.
func waitFor[T runtime.Object](stream watch.Interface, holds func(T) bool) error {
	defer stream.Stop()
	for {
		select {
		case event, open := <-stream.ResultChan():
			if !open {
				return errors.New("the watch has ended")
			}
			object, fits := event.Object.(T)
			if !fits {
				return fmt.Errorf("%s with %T", event.Type, event.Object)
			}
			if holds(object) {
				return nil
			}
		case <-time.After(30 * time.Second):
			return errors.New("nothing for half a minute")
		}
	}
}
