//go:build e2e

package deploy

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	rightsAddress = "127.53.0.3"
	// A member on loopback; nobody asks it.
	goodDocument = `{apiVersion: clusterset/v1alpha1, kind: ClusterSet, clusters: [{name: cluster1, serviceCIDRs: [10.101.0.0/16], dns: ["127.0.0.1:1"]}]}`
)

// wantRightsEnough starts CoreDNS with no other rights than the ServiceAccount's:
// it takes up the ConfigMap, and says on it what is wrong with a bad one.
func (c *cluster) wantRightsEnough(t *testing.T, clusters *apiserver.Clusters, name, namespace, account string) {
	t.Helper()
	c.setDocument(t, namespace, goodDocument)
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("../bin/coredns", "-conf", "stdin")
	command.Stdin = strings.NewReader(fmt.Sprintf(`.:10053 {
    bind %[1]s
    ready %[1]s:8181
    clusterset lan {
        configmap %s/clusterset
        kubeconfig %s
    }
}
`, rightsAddress, namespace, clusters.KubeconfigWithToken(t, name, token.Status.Token)))
	startCoreDNS(t, command)

	eventually(t, "CoreDNS is ready", func() error {
		reply, err := http.Get("http://" + rightsAddress + ":8181/ready")
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		body, err := io.ReadAll(reply.Body)
		if err == nil && reply.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", reply.Status, body)
		}
		return err
	})
	c.setDocument(t, namespace, "kind: Mistake")
	eventually(t, "an Event tells of the bad document", func() error {
		events, err := c.client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=clusterset,reason=InvalidClusterSet"})
		if err == nil && len(events.Items) != 1 {
			err = fmt.Errorf("%d events", len(events.Items))
		}
		return err
	})
}

func (c *cluster) setDocument(t *testing.T, namespace, text string) {
	t.Helper()
	configMap := &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "clusterset", Namespace: namespace},
		Data:       map[string]string{"clusterset.yaml": text},
	}
	harness.Put(t, c.client.CoreV1().ConfigMaps(namespace), configMap)
}
