// Package credential makes and renews the kubeconfig with which CoreDNS reads a member: a
// token of the member's reader, which its API bounds in time.
package credential

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/bounded"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

// Token is a token of the reader.
type Token struct {
	Text string
	// End is when it runs out, as the API says: it may cap what was asked for.
	End time.Time
}

// Request asks the API for a token of the reader that lives as long as d.
func Request(ctx context.Context, kube kubernetes.Interface, d time.Duration) (*Token, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To(int64(d / time.Second))}}
	reply, err := kube.CoreV1().ServiceAccounts(objects.MemberNamespace).CreateToken(ctx, objects.Reader, request, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("a token of ServiceAccount %s/%s: %w", objects.MemberNamespace, objects.Reader, err)
	}
	return &Token{Text: reply.Status.Token, End: reply.Status.ExpirationTimestamp.Time}, nil
}

// Kubeconfig is a member's kubeconfig.
type Kubeconfig struct {
	Member, Server, ServerName string
	CA                         []byte
}

// Write returns it with a token, as CoreDNS takes it from a Secret.
func (k Kubeconfig) Write(token string) ([]byte, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters[k.Member] = &clientcmdapi.Cluster{Server: k.Server, TLSServerName: k.ServerName, CertificateAuthorityData: k.CA}
	config.AuthInfos[objects.Reader] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[k.Member] = &clientcmdapi.Context{Cluster: k.Member, AuthInfo: objects.Reader}
	config.CurrentContext = k.Member
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, err
	}
	if _, err := Parse(text); err != nil {
		return nil, fmt.Errorf("the kubeconfig for CoreDNS: %w", err)
	}
	return text, nil
}

// Parse returns the configuration of a kubeconfig, under the rules that CoreDNS has for it.
// What is asked with it has an end.
func Parse(kubeconfig []byte) (*rest.Config, error) {
	c := credentials.Credentials{Kubeconfig: kubeconfig}
	config, err := c.RESTConfig()
	if err == nil {
		bounded.Wrap(config)
	}
	return config, err
}

// WithToken returns the kubeconfig with another token for its current user.
func WithToken(kubeconfig []byte, token string) ([]byte, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, err
	}
	current := config.Contexts[config.CurrentContext]
	if current == nil || config.AuthInfos[current.AuthInfo] == nil {
		return nil, fmt.Errorf("current-context %q: names no context with a user", config.CurrentContext)
	}
	config.AuthInfos[current.AuthInfo].Token = token
	return clientcmd.Write(*config)
}

// How long rights that were just given may take to be known to the API, and how often it is
// asked meanwhile.
const (
	settleTimeout = 10 * time.Second
	settlePause   = 100 * time.Millisecond
)

// Works asks an API, at config's address, with the token. What is forbidden is asked again
// for a while: rights that were just given take a moment.
func Works(ctx context.Context, config *rest.Config, token string) error {
	config = rest.AnonymousClientConfig(config)
	config.BearerToken = token
	bounded.Wrap(config)
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, settlePause, settleTimeout, true, func(ctx context.Context) (bool, error) {
		_, last = kube.CoreV1().Namespaces().Get(ctx, objects.MemberNamespace, metav1.GetOptions{})
		if last != nil && !apierrors.IsForbidden(last) {
			return false, last
		}
		return last == nil, nil
	})
	if last != nil {
		return last
	}
	return err
}
