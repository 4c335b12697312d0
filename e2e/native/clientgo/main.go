// Command clientgo does with an API server what programs with client-go do, and prints what it
// saw as one JSON object: a key for each part. It works in a namespace of its own, which it deletes.
// All clients are as client-go makes them by default: the typed one speaks protobuf and streams lists.
//
// Usage: KUBECONFIG=file clientgo
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"
)

// seen is what a part reports, as JSON.
type seen map[string]any

// session is what every part is given.
type session struct {
	ctx       context.Context
	namespace string
	typed     *kubernetes.Clientset
	dynamic   *dynamic.DynamicClient
	metadata  metadata.Interface
	traffic   *traffic
}

type part struct {
	name string
	run  func(*session) (seen, error)
}

// sequences run side by side; the parts of one use what those before it made.
var sequences = [][]part{
	{{"discovery", discover}},
	{{"informer", inform}, {"expired", expired}, {"bookmarks", bookmarks}},
	{{"pages", pages}, {"metadataOnly", metadataOnly}, {"deleteCollection", deleteCollection}},
	{{"retryOnConflict", retryOnConflict}, {"errors", refused}, {"events", recordEvents}},
	{{"apply", apply}},
	{{"workloads", workloads}},
	{{"election", elect}},
	{{"customResources", customResources}},
}

// runAll reports every part; of one that failed, the error, and its sequence ends.
func (s *session) runAll() map[string]seen {
	var mutex sync.Mutex
	var group sync.WaitGroup
	report := map[string]seen{}
	for _, sequence := range sequences {
		group.Go(func() {
			for _, each := range sequence {
				saw, err := each.run(s)
				if err != nil {
					saw = seen{"error": err.Error()}
				}
				mutex.Lock()
				report[each.name] = saw
				mutex.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return report
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	// The tests wait for the server, not for the client's own throttle.
	config.QPS = -1
	traffic := observe(config)
	s := &session{ctx: ctx, traffic: traffic}
	if s.typed, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if s.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	if s.metadata, err = metadata.NewForConfig(config); err != nil {
		return err
	}
	namespace, err := s.typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "clientgo-"},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	s.namespace = namespace.Name
	report := s.runAll()
	if report["namespace"], err = removeNamespace(s); err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	report["traffic"] = seen{"contentTypes": traffic.contentTypes()}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
