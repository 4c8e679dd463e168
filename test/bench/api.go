package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kube "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"golang.org/x/sync/errgroup"
)

// memberAPI is a real API server, of test/kube, and its administrator.
type memberAPI struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	client *kube.Clientset
}

// startAPI starts the member's API server. Its kubeconfig is c1.kubeconfig in dir.
func startAPI(ctx context.Context, binary, dir string) (*memberAPI, error) {
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, "up", "--fast-services", "--dir", dir, "c1=10.101.0.0/16")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; run make bin/kube", err)
	}
	api := &memberAPI{cmd: cmd, stdin: stdin}
	if err := awaitUp(stdout); err != nil {
		api.stop()
		return nil, err
	}
	go io.Copy(io.Discard, stdout) //nolint:errcheck // ends with the process
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "c1.kubeconfig"))
	if err != nil {
		api.stop()
		return nil, err
	}
	config.QPS, config.Burst = 2000, 2000
	if api.client, err = kube.NewForConfig(config); err != nil {
		api.stop()
		return nil, err
	}
	return api, nil
}

// awaitUp reads the events of "kube up" until the API is ready.
func awaitUp(stdout io.Reader) error {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var event struct{ Event, Error string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			return err
		}
		switch event.Event {
		case "up":
			return nil
		case "error", "died":
			return fmt.Errorf("kube up: %s", event.Error)
		}
	}
	return fmt.Errorf("kube up ended: %w", lines.Err())
}

func (a *memberAPI) stop() {
	_ = a.stdin.Close() // ends it
	_ = a.cmd.Wait()
}

// exported is Linkerd's mark, by which a Service takes part in clusterset-wide names.
var exported = map[string]string{"mirror.linkerd.io/exported": "true"}

// exportedOf is that every so manieth Service is exported before export.
const exportedOf = 20

// fill makes the services, each with a slice of its own. Five percent of them are exported.
func (a *memberAPI) fill(ctx context.Context, names int) error {
	fmt.Printf("making %d services and slices\n", names)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range names {
		group.Go(func() error {
			name := fmt.Sprintf("service-%d", i)
			service := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.ServiceSpec{Ports: []v1.ServicePort{{Name: "http", Port: 80}}}}
			if i%exportedOf == 0 {
				service.Labels = exported
			}
			if _, err := a.client.CoreV1().Services("default").Create(ctx, service, metav1.CreateOptions{}); err != nil {
				return err
			}
			_, err := a.client.DiscoveryV1().EndpointSlices("default").Create(ctx, sliceOf(name, fmt.Sprintf("10.51.%d.%d", i/250, i%250+1)), metav1.CreateOptions{})
			return err
		})
	}
	return group.Wait()
}

// export exports the services that aren't.
func (a *memberAPI) export(ctx context.Context, names int) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": exported}})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range names {
		if i%exportedOf == 0 {
			continue
		}
		group.Go(func() error {
			_, err := a.client.CoreV1().Services("default").Patch(ctx, fmt.Sprintf("service-%d", i), types.MergePatchType, patch, metav1.PatchOptions{})
			return err
		})
	}
	return group.Wait()
}

// sliceOf is a slice as the controller makes it, with one endpoint.
func sliceOf(service, address string) *discovery.EndpointSlice {
	ready, port, name, protocol := true, int32(8080), "http", v1.ProtocolTCP
	node := "node-1"
	return &discovery.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: service + "-abcde", Labels: map[string]string{discovery.LabelServiceName: service}},
		AddressType: discovery.AddressTypeIPv4,
		Ports:       []discovery.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
		Endpoints: []discovery.Endpoint{{
			Addresses: []string{address}, Conditions: discovery.EndpointConditions{Ready: &ready}, NodeName: &node,
			TargetRef: &v1.ObjectReference{Kind: "Pod", Namespace: "default", Name: service + "-5d9c7b6f4-abcde"},
		}},
	}
}
