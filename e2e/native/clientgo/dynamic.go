package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

const definition = `{
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": {"name": "clocks.clientgo.example.com"},
  "spec": {
    "group": "clientgo.example.com", "scope": "Namespaced",
    "names": {"plural": "clocks", "singular": "clock", "kind": "Clock", "listKind": "ClockList"},
    "versions": [{
      "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
      "schema": {"openAPIV3Schema": {"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
          "hour": {"type": "integer", "minimum": 0, "maximum": 23},
          "zone": {"type": "string", "default": "UTC"}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}
    }]
  }
}`

// customResources defines a resource by the dynamic client and works with its objects: an informer,
// creation with defaults, refusal by the schema, server-side apply, status.
func customResources(s *session) (saw seen, err error) {
	definitions := s.dynamic.Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(definition), object); err != nil {
		return nil, err
	}
	if _, err := definitions.Create(s.ctx, object, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, definitions.Delete(s.ctx, object.GetName(), metav1.DeleteOptions{}))
	}()
	err = eventually(s.ctx, "the definition is established", func() (bool, error) {
		now, err := definitions.Get(s.ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		// They are null until the server has looked at it, which is no error.
		conditions, _, _ := unstructured.NestedSlice(now.Object, "status", "conditions")
		for _, condition := range conditions {
			of := condition.(map[string]any)
			if of["type"] == "Established" && of["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	resource := schema.GroupVersionResource{Group: "clientgo.example.com", Version: "v1", Resource: "clocks"}
	clocks := s.dynamic.Resource(resource).Namespace(s.namespace)
	clock := func(name string, hour int64) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "clientgo.example.com/v1", "kind": "Clock",
			"metadata": map[string]any{"name": name}, "spec": map[string]any{"hour": hour},
		}}
	}
	var made *unstructured.Unstructured
	// For a moment after it is established a real server does not know the resource.
	err = eventually(s.ctx, "the first clock is taken", func() (bool, error) {
		var err error
		made, err = clocks.Create(s.ctx, clock("one", 1), metav1.CreateOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return nil, err
	}
	_, refusal := clocks.Create(s.ctx, clock("two", 24), metav1.CreateOptions{})
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.namespace, nil)
	informer := factory.ForResource(resource).Informer()
	factory.Start(s.ctx.Done())
	if !cache.WaitForCacheSync(s.ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("the informer does not sync")
	}
	if _, err = clocks.Apply(s.ctx, "applied", clock("applied", 5), metav1.ApplyOptions{FieldManager: "clientgo"}); err != nil {
		return nil, err
	}
	made.Object["status"] = map[string]any{"seen": time.Now().UTC().Format(time.RFC3339), "ticks": int64(3)}
	if made, err = clocks.UpdateStatus(s.ctx, made, metav1.UpdateOptions{}); err != nil {
		return nil, err
	}
	err = eventually(s.ctx, "the informer has both", func() (bool, error) {
		return len(informer.GetStore().List()) == 2, nil
	})
	if err != nil {
		return nil, err
	}
	ticks, _, _ := unstructured.NestedInt64(made.Object, "status", "ticks")
	zone, _, _ := unstructured.NestedString(made.Object, "spec", "zone")
	return seen{
		"zone": zone, "ticks": ticks, "generation": made.GetGeneration(), "refusal": refusal.Error(),
		"streamed": s.traffic.streamed("/apis/clientgo.example.com/v1/namespaces/" + s.namespace + "/clocks"),
	}, nil
}
