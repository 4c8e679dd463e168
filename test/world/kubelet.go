//go:build e2e && linux

package world

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// portForward is the protocol in which an API server has a kubelet forward ports.
const portForward = "portforward.k8s.io"

// kubelet is a node's, and does nothing but forward ports of CoreDNS's pods.
type kubelet struct{ cluster *Cluster }

// startKubelet starts the node's, where the API server looks for it.
func (c *Cluster) startKubelet() {
	c.t.Helper()
	listener, err := net.Listen("tcp", c.Node()+":10250")
	if err != nil {
		c.t.Fatal(err)
	}
	k := &kubelet{c}
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", k.serve)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", k.serve)
	server := httptest.NewUnstartedServer(mux)
	server.Listener = listener
	server.StartTLS() // an API server without a CA for kubelets takes any certificate
	c.t.Cleanup(server.Close)
}

func (k *kubelet) serve(w http.ResponseWriter, request *http.Request) {
	pod := request.PathValue("pod")
	for _, r := range k.cluster.Replicas {
		if r.Pod() == pod {
			forward(w, request, r.Loopback())
			return
		}
	}
	http.Error(w, "no pod "+pod, http.StatusNotFound)
}

// forward serves one client: each connection is two streams of one request id, its errors
// and its data.
func forward(w http.ResponseWriter, request *http.Request, host string) {
	if _, err := httpstream.Handshake(request, w, []string{portForward}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream)
	ended := make(chan struct{})
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, request, func(s httpstream.Stream, _ <-chan struct{}) error {
		select {
		case streams <- s:
		case <-ended:
		}
		return nil
	})
	if conn == nil {
		return
	}
	defer func() { _ = conn.Close() }()
	defer close(ended)
	waiting := make(map[string]httpstream.Stream) // the first of two
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(v1.PortForwardRequestIDHeader)
			other, paired := waiting[id]
			if !paired {
				waiting[id] = s
				continue
			}
			delete(waiting, id)
			if s.Headers().Get(v1.StreamType) == v1.StreamTypeError {
				s, other = other, s
			}
			go connect(s, other, host)
			conn.RemoveStreams(s, other)
		}
	}
}

// connect passes on the bytes of one connection.
func connect(data, failure httpstream.Stream, host string) {
	defer failure.Close()
	defer data.Close()
	server, err := net.Dial("tcp", net.JoinHostPort(host, data.Headers().Get(v1.PortHeader)))
	if err != nil {
		// A real one says it in these words.
		fmt.Fprintf(failure, "failed to connect to localhost:%s inside namespace: %v", data.Headers().Get(v1.PortHeader), errors.Unwrap(err))
		return
	}
	defer server.Close()
	var copying sync.WaitGroup
	copying.Go(func() {
		_, _ = io.Copy(server, data) // a side that closes early ends it
		_ = server.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(data, server)
	_ = data.Close()
	_ = data.Reset()
	copying.Wait()
}
