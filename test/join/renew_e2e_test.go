//go:build e2e

package join

import (
	"bytes"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

// TestRenew: with the CronJob's own rights a token is renewed by its own; one that isn't due
// is left; and one that can't be renewed stays as it is, till somebody who may makes another.
func TestRenew(t *testing.T) {
	w := start(t, 2)
	one, two := w.by["cluster1"], w.by["cluster2"]
	w.want(t, cli.Good, append(joinTwo, "--token-duration", "36h")...)
	first := one.kubeconfig(t, "cluster2")
	if left := time.Until(expiry(t, first)); left < 35*time.Hour || left > 36*time.Hour {
		t.Errorf("the token lives %s, want 36h", left)
	}
	w.asRenewer(t)

	job, err := one.kube.BatchV1().CronJobs(system).Get(t.Context(), "clusterset-renew", metav1.GetOptions{})
	must(t, err)
	container := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
	if container.Image != image {
		t.Errorf("the CronJob's image is %s, want that of CoreDNS", container.Image)
	}
	asJob := append(container.Args, "--context", "renewer")
	out, _ := w.want(t, cli.Good, asJob...)
	if !strings.Contains(out, "cluster2   not due") || !bytes.Equal(first, one.kubeconfig(t, "cluster2")) {
		t.Errorf("not due: have\n%s", out)
	}

	byName := []string{"renew", "cluster2", "--configmap", "kube-system/clusterset", "--context", "renewer"}
	out, _ = w.want(t, cli.Good, byName...)
	second := one.kubeconfig(t, "cluster2")
	if !strings.Contains(out, "cluster2   renewed") || bytes.Equal(first, second) {
		t.Errorf("by name: have\n%s", out)
	}
	one.wantReads(t, "cluster2")

	must(t, two.kube.RbacV1().RoleBindings(system).Delete(t.Context(), "clusterset-reader", metav1.DeleteOptions{}))
	eventually(t, "a renewal that fails", func() error {
		code, _, errOut := w.run(byName...)
		if code != cli.Failed || !strings.Contains(errOut, "the old token stays") || !strings.Contains(errOut, "forbidden") {
			return &unequal{errOut}
		}
		second = one.kubeconfig(t, "cluster2")
		return nil
	})
	w.want(t, cli.Failed, byName...)
	if !bytes.Equal(second, one.kubeconfig(t, "cluster2")) {
		t.Error("a renewal that failed changed the Secret")
	}

	w.want(t, cli.Good, "renew", "cluster2", "--from-context", "cluster2")
	if bytes.Equal(second, one.kubeconfig(t, "cluster2")) {
		t.Error("--from-context: the Secret is unchanged")
	}
	// Joined again, what is missing is made, and the token stays.
	third := one.kubeconfig(t, "cluster2")
	w.want(t, cli.Good, append(joinTwo, "--token-duration", "36h")...)
	if !bytes.Equal(third, one.kubeconfig(t, "cluster2")) {
		t.Error("joined again: a token that works was replaced")
	}
	w.want(t, cli.Good, byName...)
}

// TestRejoinDead: joined again, a token that its API doesn't take any more is replaced.
func TestRejoinDead(t *testing.T) {
	w := start(t, 2)
	one, two := w.by["cluster1"], w.by["cluster2"]
	w.want(t, cli.Good, joinTwo...)
	dead := one.kubeconfig(t, "cluster2")
	must(t, two.kube.CoreV1().ServiceAccounts(system).Delete(t.Context(), "clusterset-reader", metav1.DeleteOptions{}))
	eventually(t, "a new token", func() error {
		code, _, errOut := w.run(joinTwo...)
		if code != cli.Good || bytes.Equal(dead, one.kubeconfig(t, "cluster2")) {
			return &unequal{errOut}
		}
		return nil
	})
	one.wantReads(t, "cluster2")
}

func expiry(t *testing.T, kubeconfig []byte) time.Time {
	t.Helper()
	of := credentials.Credentials{Kubeconfig: kubeconfig}
	config, err := of.RESTConfig()
	must(t, err)
	return credentials.ExpiryOf(config).End
}

// asRenewer adds a context with the credential of the CronJob's ServiceAccount.
func (w *world) asRenewer(t *testing.T) {
	t.Helper()
	token, err := w.by["cluster1"].kube.CoreV1().ServiceAccounts(system).CreateToken(t.Context(), "clusterset-renew", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(t, err)
	w.config.AuthInfos["renewer"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	w.config.Contexts["renewer"] = &clientcmdapi.Context{Cluster: "cluster1", AuthInfo: "renewer"}
	w.write(t)
}
