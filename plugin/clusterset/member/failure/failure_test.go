package failure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

func TestClassify(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	services := schema.GroupResource{Resource: "services"}
	for _, tc := range []struct {
		err  error
		want Reason
	}{
		{&url.Error{Op: "Get", Err: refused}, Unreachable},
		{&url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: context.DeadlineExceeded}}, Unreachable},
		{&url.Error{Op: "Get", Err: &net.DNSError{Err: "no such host"}}, Unreachable},
		{&url.Error{Op: "Get", Err: io.EOF}, Unreachable},
		{fmt.Errorf("reading: %w", syscall.ECONNRESET), Unreachable},
		{errors.New("http2: client connection lost"), Unreachable},
		{fmt.Errorf("the connection broke: %w", io.ErrUnexpectedEOF), Unreachable},
		{&url.Error{Op: "Get", Err: context.DeadlineExceeded}, Timeout},
		{apierrors.NewServerTimeout(services, "list", 1), Timeout},
		{apierrors.NewUnauthorized("no"), Unauthorized},
		{apierrors.NewForbidden(services, "", errors.New("no")), Forbidden},
		{apierrors.NewInternalError(errors.New("no")), ServerError},
		{apierrors.NewTooManyRequests("later", 1), ServerError},
		{errors.New("couldn't get version/kind; json parse error"), ServerError},
		{&url.Error{Op: "Get", Err: &tls.CertificateVerificationError{Err: errors.New("expired")}}, TLS},
		{errors.New("remote error: tls: bad certificate"), TLS},
	} {
		if got := ReasonOf(tc.err); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.err, got, tc.want)
		}
	}
}

// TestClassifyServers asks servers that aren't Kubernetes APIs.
func TestClassifyServers(t *testing.T) {
	html := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for _, tc := range []struct {
		name    string
		handler http.Handler
		scheme  string
		want    Reason
	}{
		{"a page", html, "http", ServerError},
		{"a broken proxy", broken, "http", ServerError},
		{"slow", slow, "http", Timeout},
		{"no TLS", html, "https", TLS},
	} {
		server := httptest.NewServer(tc.handler)
		host := strings.Replace(server.URL, "http", tc.scheme, 1)
		client, err := core.NewForConfig(&rest.Config{Host: host, TLSClientConfig: rest.TLSClientConfig{Insecure: tc.scheme == "https"}})
		if err != nil {
			t.Fatal(err)
		}
		patience := 30 * time.Second
		if tc.want == Timeout {
			patience = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err = client.Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
		cancel()
		if err == nil || ReasonOf(err) != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
		server.Close()
	}
}

// TestTexts: what a DNS client gets names no address, and every reason has a text.
func TestTexts(t *testing.T) {
	for r := range Reasons {
		text := (&Failure{Reason: r, Resource: "services", Err: errors.New("dial tcp 10.0.0.1:6443: refused")}).Error()
		if strings.Contains(text, "10.0.0.1") || len(text) < 10 || r.String() == "" {
			t.Errorf("%v: %q", r, text)
		}
	}
}
