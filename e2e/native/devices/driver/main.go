// A driver for Dynamic Resource Allocation whose devices are declared in a file of JSON, which is
// read twice a second: see `declared`. Preparing a claim does nothing to the node: containers find
// no device, which containerd 1.6, without CDI, could not give them either.
//
//	KUBECONFIG=… dra-driver KUBELET_ROOT DRIVER NODE FILE
//
// The claims that are prepared are written to FILE.prepared, one `namespace/name` a line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	resource "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/dynamic-resource-allocation/kubeletplugin"
	"k8s.io/dynamic-resource-allocation/resourceslice"
)

const period = 500 * time.Millisecond

// declared is what the file says.
type declared struct {
	// Slices is the node's pool, as ResourceSlices write devices, taints and counters.
	Slices []struct {
		Devices        []resource.Device     `json:"devices"`
		SharedCounters []resource.CounterSet `json:"sharedCounters"`
	} `json:"slices"`
	// Health by device; a device that is not here is healthy.
	Health map[string]struct {
		Health  kubeletplugin.HealthStatus `json:"health"`
		Message string                     `json:"message"`
	} `json:"health"`
	// Silent says that no health is reported, also not that it has become old.
	Silent bool `json:"silent"`
	// Refuse is why claims cannot be prepared.
	Refuse string `json:"refuse"`
}

type driver struct {
	name, node, file string

	mutex    sync.Mutex
	now      declared
	prepared map[types.UID]string
}

// read takes in what the file says now; it stays as it was while the file is being written.
func (d *driver) read() declared {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if text, err := os.ReadFile(d.file); err == nil {
		var found declared
		if json.Unmarshal(text, &found) == nil {
			d.now = found
		}
	}
	return d.now
}

func (d *driver) resources() resourceslice.DriverResources {
	var pool resourceslice.Pool
	for _, one := range d.read().Slices {
		pool.Slices = append(pool.Slices, resourceslice.Slice{Devices: one.Devices, SharedCounters: one.SharedCounters})
	}
	return resourceslice.DriverResources{Pools: map[string]resourceslice.Pool{d.node: pool}}
}

// publish writes ResourceSlices whenever the file says something new.
func (d *driver) publish(ctx context.Context, helper *kubeletplugin.Helper) error {
	var before resourceslice.DriverResources
	for ctx.Err() == nil {
		if now := d.resources(); !reflect.DeepEqual(now, before) {
			before = now
			if err := helper.PublishResources(ctx, now); err != nil {
				return err
			}
		}
		time.Sleep(period)
	}
	return nil
}

func (d *driver) PrepareResourceClaims(_ context.Context, claims []*resource.ResourceClaim) (map[types.UID]kubeletplugin.PrepareResult, error) {
	refuse := d.read().Refuse
	found := map[types.UID]kubeletplugin.PrepareResult{}
	for _, claim := range claims {
		var result kubeletplugin.PrepareResult
		if refuse != "" {
			result.Err = errors.New(refuse)
		} else {
			for _, one := range claim.Status.Allocation.Devices.Results {
				if one.Driver == d.name {
					result.Devices = append(result.Devices, kubeletplugin.Device{
						Requests: []string{one.Request}, PoolName: one.Pool, DeviceName: one.Device, ShareID: one.ShareID,
					})
				}
			}
			d.note(claim.UID, claim.Namespace+"/"+claim.Name)
		}
		found[claim.UID] = result
	}
	return found, nil
}

func (d *driver) UnprepareResourceClaims(_ context.Context, claims []kubeletplugin.NamespacedObject) (map[types.UID]error, error) {
	found := map[types.UID]error{}
	for _, claim := range claims {
		d.note(claim.UID, "")
		found[claim.UID] = nil
	}
	return found, nil
}

// note remembers that a claim is prepared, or with an empty name that it is not any more.
func (d *driver) note(claim types.UID, name string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.prepared[claim] = name
	if name == "" {
		delete(d.prepared, claim)
	}
	text := strings.Join(append(slices.Sorted(maps.Values(d.prepared)), ""), "\n")
	if err := os.WriteFile(d.file+".prepared", []byte(text), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (d *driver) HandleError(_ context.Context, err error, message string) {
	fmt.Fprintln(os.Stderr, message+":", err)
}

// WatchHealthStatus says it again and again, as the kubelet forgets it after thirty seconds.
func (d *driver) WatchHealthStatus(ctx context.Context, reports chan<- kubeletplugin.DeviceHealthReport) error {
	for {
		if now := d.read(); !now.Silent {
			select {
			case reports <- d.report(now):
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-time.After(period):
		case <-ctx.Done():
			return nil
		}
	}
}

func (d *driver) report(now declared) (report kubeletplugin.DeviceHealthReport) {
	for _, one := range now.Slices {
		for _, device := range one.Devices {
			health := kubeletplugin.DeviceHealth{
				PoolName: d.node, DeviceName: device.Name, Health: kubeletplugin.HealthStatusHealthy, LastUpdated: time.Now(),
			}
			if said, known := now.Health[device.Name]; known {
				health.Health, health.Message = said.Health, said.Message
			}
			report.Devices = append(report.Devices, health)
		}
	}
	return report
}

func run(root, name, node, file string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	d := &driver{name: name, node: node, file: file, prepared: map[types.UID]string{}}
	data := filepath.Join(root, "plugins", name)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	helper, err := kubeletplugin.Start(ctx, d,
		kubeletplugin.DriverName(name),
		kubeletplugin.NodeName(node),
		kubeletplugin.KubeClient(client),
		kubeletplugin.RegistrarDirectoryPath(filepath.Join(root, "plugins_registry")),
		kubeletplugin.PluginDataDirectoryPath(data),
	)
	if err != nil {
		return err
	}
	// The kubelet is told that the driver goes.
	defer helper.Stop()
	return d.publish(ctx, helper)
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
