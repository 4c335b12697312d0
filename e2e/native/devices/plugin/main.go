// A device plugin whose devices are declared in a file: one line a device, its id and "Healthy" or
// "Unhealthy". The file is read every half second.
//
//	device-plugin FOLDER RESOURCE FILE
//
// FOLDER is where the kubelet looks for device plugins: /var/lib/kubelet/device-plugins, wherever
// the rest of its files are.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

type plugin struct {
	api.UnimplementedDevicePluginServer
	file string
}

func (p *plugin) devices() (found []*api.Device) {
	file, err := os.Open(p.file)
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 2 {
			found = append(found, &api.Device{ID: words[0], Health: words[1]})
		}
	}
	return found
}

func (p *plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p *plugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	before := "nothing yet"
	for {
		devices := p.devices()
		if now := fmt.Sprint(devices); now != before {
			before = now
			if err := stream.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
				return err
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func (p *plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for range asked.ContainerRequests {
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{})
	}
	return answer, nil
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	folder, resource, file := os.Args[1], os.Args[2], os.Args[3]
	socket := strings.ReplaceAll(resource, "/", "-") + ".sock"
	path := filepath.Join(folder, socket)
	os.Remove(path)
	listener, err := net.Listen("unix", path)
	fail(err)
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, &plugin{file: file})
	go server.Serve(listener)
	connection, err := grpc.NewClient("unix://"+filepath.Join(folder, "kubelet.sock"),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	fail(err)
	_, err = api.NewRegistrationClient(connection).Register(context.Background(),
		&api.RegisterRequest{Version: api.Version, Endpoint: socket, ResourceName: resource})
	fail(err)
	select {}
}
