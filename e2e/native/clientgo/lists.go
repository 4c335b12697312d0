package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/pager"
)

const many = 25

// eventually asks ten times a second.
func eventually(ctx context.Context, what string, holds func() (bool, error)) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true,
		func(context.Context) (bool, error) { return holds() })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// discover asks what is served, by aggregated discovery, and for the schemas.
func discover(s *session) (seen, error) {
	version, err := s.typed.Discovery().ServerVersion()
	if err != nil {
		return nil, err
	}
	_, resources, err := s.typed.Discovery().ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	kinds := []string{}
	for _, list := range resources {
		for _, resource := range list.APIResources {
			kinds = append(kinds, list.GroupVersion+" "+resource.Name)
		}
	}
	paths, err := s.typed.Discovery().OpenAPIV3().Paths()
	if err != nil {
		return nil, err
	}
	document, err := paths["apis/apps/v1"].Schema("application/json")
	if err != nil {
		return nil, err
	}
	return seen{
		"version":            version.Major + "." + version.Minor,
		"scaleOfDeployments": slices.Contains(kinds, "apps/v1 deployments/scale"),
		"schemaOfApps":       len(document) > 10_000,
	}, nil
}

// pages lists in parts of ten while an object is added: the parts are of one state.
func pages(s *session) (seen, error) {
	secrets := s.typed.CoreV1().Secrets(s.namespace)
	create := func(number int) error {
		_, err := secrets.Create(s.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("page-%02d", number), Labels: map[string]string{"part": "pages"},
		}}, metav1.CreateOptions{})
		return err
	}
	for number := range many {
		if err := create(number); err != nil {
			return nil, err
		}
	}
	parts, remaining := 0, []int64{}
	inParts := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		list, err := secrets.List(ctx, options)
		if err != nil {
			return nil, err
		}
		parts++
		if list.RemainingItemCount != nil {
			remaining = append(remaining, *list.RemainingItemCount)
		}
		if parts == 1 {
			err = create(99)
		}
		return list, err
	})
	inParts.PageSize = 10
	names := []string{}
	err := inParts.EachListItem(s.ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		names = append(names, object.(metav1.Object).GetName())
		return nil
	})
	return seen{
		"parts": parts, "names": len(names), "sorted": slices.IsSorted(names), "remaining": remaining,
	}, err
}

// metadataOnly reads objects' metadata.
func metadataOnly(s *session) (seen, error) {
	secrets := s.metadata.Resource(schema.GroupVersionResource{Version: "v1", Resource: "secrets"})
	list, err := secrets.Namespace(s.namespace).List(s.ctx, metav1.ListOptions{
		LabelSelector: "part=pages",
	})
	if err != nil {
		return nil, err
	}
	return seen{"first": list.Items[0].Name, "count": len(list.Items)}, nil
}

// deleteCollection deletes what a selector finds.
func deleteCollection(s *session) (seen, error) {
	secrets := s.typed.CoreV1().Secrets(s.namespace)
	of := metav1.ListOptions{LabelSelector: "part=pages"}
	if err := secrets.DeleteCollection(s.ctx, metav1.DeleteOptions{}, of); err != nil {
		return nil, err
	}
	left, err := secrets.List(s.ctx, of)
	if err != nil {
		return nil, err
	}
	return seen{"left": len(left.Items)}, nil
}
