package main

import (
	"net/http"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
)

// traffic counts the requests of every client of a configuration.
type traffic struct {
	mutex   sync.Mutex
	lists   map[string]int // path of what was read without a watch → requests
	streams map[string]int // path of a streaming list → requests
	types   map[string]int // Content-Type of answers → answers
}

type observed struct {
	*traffic
	next http.RoundTripper
}

func observe(config *rest.Config) *traffic {
	counted := &traffic{lists: map[string]int{}, streams: map[string]int{}, types: map[string]int{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return observed{counted, next}
	})
	return counted
}

func (o observed) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	query := request.URL.Query()
	switch {
	case request.Method != http.MethodGet:
	case query.Get("sendInitialEvents") == "true":
		o.streams[request.URL.Path]++
	case !query.Has("watch"):
		o.lists[request.URL.Path]++
	}
	o.types[response.Header.Get("Content-Type")]++
	return response, nil
}

// streamed tells whether a resource was listed by a watch alone.
func (t *traffic) streamed(path string) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.lists[path] == 0 && t.streams[path] > 0
}

func (t *traffic) contentTypes() []string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	names := []string{}
	for name := range t.types {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
