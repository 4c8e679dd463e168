package install

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Install is a CoreDNS in a cluster.
type Install struct {
	Namespace, Deployment string
	// Image and ServiceAccount are its pods'.
	Image, ServiceAccount string
	// Replicas is how many pods it is to have.
	Replicas int
	Pods     []Pod
	// Corefile is where that is.
	Corefile Key
	// Blocks are its server blocks, Imports the files it imports, which aren't read.
	Blocks  []Block
	Imports []string
	// Err is why the Corefile couldn't be read.
	Err error
}

// Key is a key of a ConfigMap.
type Key struct{ Namespace, ConfigMap, Key string }

// String names it as an error does.
func (k Key) String() string { return fmt.Sprintf("%s/%s, key %s", k.Namespace, k.ConfigMap, k.Key) }

// Pod is a replica.
type Pod struct {
	Namespace, Name, IP, Node string
	// Image is what runs.
	Image string
	Ready bool
	// Reason is why it isn't ready.
	Reason string
}

// Where is what the user says about it. The zero value is to look where it usually is.
type Where struct{ Namespace, Deployment string }

// places are where a CoreDNS with clusterset usually is: in the cluster's own, and alone.
var places = []struct{ namespace, labels string }{
	{metav1.NamespaceSystem, "k8s-app=kube-dns"},
	{"clusterset", "app.kubernetes.io/name=clusterset"},
}

// Stanzas are those of all server blocks.
func (i *Install) Stanzas() (all []*Stanza) {
	for _, b := range i.Blocks {
		if b.Stanza != nil {
			all = append(all, b.Stanza)
		}
	}
	return all
}

// Name is "kube-system/coredns".
func (i *Install) Name() string { return i.Namespace + "/" + i.Deployment }

// Find returns the CoreDNS that has clusterset. Where none has, the error says where it
// looked and what was there.
func Find(ctx context.Context, client kubernetes.Interface, where Where) (*Install, error) {
	all, err := FindAll(ctx, client, where)
	if err != nil {
		return nil, err
	}
	var seen []error
	for _, i := range all {
		switch {
		case len(i.Stanzas()) > 0:
			return i, nil
		case i.Err != nil:
			seen = append(seen, fmt.Errorf("deployment %s: %w", i.Name(), i.Err))
		default:
			seen = append(seen, fmt.Errorf("deployment %s: its Corefile (ConfigMap %s) has no clusterset", i.Name(), i.Corefile))
		}
	}
	return nil, &NotFoundError{where, errors.Join(seen...)}
}

// NotFoundError is that no CoreDNS has clusterset.
type NotFoundError struct {
	Where Where
	Seen  error // what there is instead; nil for nothing
}

func (e *NotFoundError) Error() string {
	text := "no CoreDNS with clusterset in kube-system or the namespace clusterset"
	if e.Where.Deployment != "" {
		text = "no clusterset in the CoreDNS that --deployment names"
	}
	if e.Seen != nil {
		text += ":\n  " + strings.ReplaceAll(e.Seen.Error(), "\n", "\n  ")
	}
	return text
}

func (e *NotFoundError) Unwrap() error { return e.Seen }

// FindAll returns each CoreDNS there is, with clusterset or without.
func FindAll(ctx context.Context, client kubernetes.Interface, where Where) ([]*Install, error) {
	deployments, err := list(ctx, client, where)
	if err != nil {
		return nil, err
	}
	var all []*Install
	for n := range deployments {
		container := coreDNS(&deployments[n].Spec.Template.Spec)
		if container == nil {
			continue
		}
		i, err := read(ctx, client, &deployments[n], container)
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

func list(ctx context.Context, client kubernetes.Interface, where Where) (all []apps.Deployment, err error) {
	if where.Deployment != "" {
		one, err := client.AppsV1().Deployments(where.Namespace).Get(ctx, where.Deployment, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("deployment %s/%s: %w", where.Namespace, where.Deployment, err)
		}
		return []apps.Deployment{*one}, nil
	}
	for _, place := range places {
		found, err := client.AppsV1().Deployments(place.namespace).List(ctx, metav1.ListOptions{LabelSelector: place.labels, Limit: maxObjects})
		if err != nil {
			return nil, fmt.Errorf("deployments in %s: %w", place.namespace, err)
		}
		all = append(all, found.Items...)
	}
	return all, nil
}

// maxObjects bounds what is listed: a DNS of more replicas isn't one.
const maxObjects = 500

// coreDNS is the container that runs CoreDNS: the one of that name, or with its arguments.
func coreDNS(pod *v1.PodSpec) *v1.Container {
	at := slices.IndexFunc(pod.Containers, func(c v1.Container) bool {
		return c.Name == "coredns" || slices.Contains(c.Args, "-conf") || strings.Contains(c.Image, "coredns")
	})
	if at < 0 {
		return nil
	}
	return &pod.Containers[at]
}

func read(ctx context.Context, client kubernetes.Interface, d *apps.Deployment, container *v1.Container) (*Install, error) {
	spec := &d.Spec.Template.Spec
	i := &Install{
		Namespace: d.Namespace, Deployment: d.Name, Image: container.Image, ServiceAccount: spec.ServiceAccountName,
		Replicas: 1, Corefile: corefileKey(d.Namespace, spec, container),
	}
	if d.Spec.Replicas != nil {
		i.Replicas = int(*d.Spec.Replicas)
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("deployment %s: %w", i.Name(), err)
	}
	pods, err := client.CoreV1().Pods(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String(), Limit: maxObjects})
	if err != nil {
		return nil, fmt.Errorf("pods of deployment %s: %w", i.Name(), err)
	}
	for n := range pods.Items {
		if p := &pods.Items[n]; p.DeletionTimestamp == nil && p.Status.Phase != v1.PodSucceeded && p.Status.Phase != v1.PodFailed {
			i.Pods = append(i.Pods, newPod(p, container.Name))
		}
	}
	i.Err = i.readCorefile(ctx, client)
	return i, nil
}

func newPod(p *v1.Pod, container string) Pod {
	pod := Pod{Namespace: p.Namespace, Name: p.Name, IP: p.Status.PodIP, Node: p.Spec.NodeName, Reason: string(p.Status.Phase)}
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodReady {
			pod.Ready = c.Status == v1.ConditionTrue
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Name != container {
			continue
		}
		pod.Image = c.Image
		if c.State.Waiting != nil {
			pod.Reason = c.State.Waiting.Reason
		}
	}
	if pod.Ready {
		pod.Reason = ""
	}
	return pod
}

// corefileKey is the key of a ConfigMap that is mounted where -conf says, as kubeadm does
// it: /etc/coredns/Corefile.
func corefileKey(namespace string, spec *v1.PodSpec, container *v1.Container) Key {
	file := "/etc/coredns/Corefile"
	for n, arg := range container.Args {
		if arg == "-conf" && n+1 < len(container.Args) {
			file = container.Args[n+1]
		}
	}
	for _, mount := range container.VolumeMounts {
		key, under := strings.CutPrefix(file, strings.TrimSuffix(mount.MountPath, "/")+"/")
		if !under {
			continue
		}
		for _, volume := range spec.Volumes {
			if volume.Name != mount.Name || volume.ConfigMap == nil {
				continue
			}
			for _, item := range volume.ConfigMap.Items {
				if item.Path == key {
					key = item.Key
				}
			}
			return Key{namespace, volume.ConfigMap.Name, key}
		}
	}
	return Key{namespace, "coredns", path.Base(file)}
}

// readCorefile sets Blocks and Imports.
func (i *Install) readCorefile(ctx context.Context, client kubernetes.Interface) error {
	object, err := client.CoreV1().ConfigMaps(i.Corefile.Namespace).Get(ctx, i.Corefile.ConfigMap, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("no ConfigMap %s/%s, where its Corefile should be", i.Corefile.Namespace, i.Corefile.ConfigMap)
	}
	if err != nil {
		return fmt.Errorf("its Corefile: %w", err)
	}
	text, has := object.Data[i.Corefile.Key]
	if !has {
		return fmt.Errorf("ConfigMap %s/%s has no key %s, where its Corefile should be", i.Corefile.Namespace, i.Corefile.ConfigMap, i.Corefile.Key)
	}
	i.Blocks, i.Imports, err = ParseCorefile(text)
	if err != nil {
		return fmt.Errorf("its Corefile (ConfigMap %s): %w", i.Corefile, err)
	}
	return nil
}
