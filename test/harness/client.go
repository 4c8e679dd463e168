//go:build e2e

package harness

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// settled bounds what an API server and its controllers do soon after a start or
// a write.
const settled = 15 * time.Second

// ClientConfig is that of a kubeconfig file, for a client that never waits for
// itself and waits 10 s for a reply.
func ClientConfig(t testing.TB, kubeconfig string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // a bound of the client's would be measured too
	config.Timeout = 10 * time.Second
	return config
}

// NewClient is a client with the kubeconfig file.
func NewClient(t testing.TB, kubeconfig string) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(ClientConfig(t, kubeconfig))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// AwaitNamespace waits for a namespace that the API server makes by itself, after
// its start.
func AwaitNamespace(t testing.TB, client kubernetes.Interface, name string) {
	t.Helper()
	Eventually(t, settled, "namespace "+name, func() error {
		_, err := client.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
		return err
	})
}

// writer is a typed client of a kind of object.
type writer[Object any] interface {
	Create(context.Context, Object, metav1.CreateOptions) (Object, error)
	Update(context.Context, Object, metav1.UpdateOptions) (Object, error)
}

// Put writes the object, whether it is there or not, and gives when that began.
func Put[Object any](t testing.TB, client writer[Object], object Object) time.Time {
	t.Helper()
	start := time.Now()
	_, err := client.Update(t.Context(), object, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = client.Create(t.Context(), object, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return start
}
