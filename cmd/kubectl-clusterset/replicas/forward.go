package replicas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// forwarder connects to a port of a pod's loopback, through the API, as "kubectl
// port-forward" does but without a port on this machine, which others here could use.
type forwarder struct {
	config *rest.Config
	pod    *install.Pod
	port   int
}

// dial returns one connection to the port.
func (f *forwarder) dial(ctx context.Context) (net.Conn, error) {
	dialer, err := f.dialer()
	if err != nil {
		return nil, err
	}
	type dialed struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialed, 1) // the library's Dial knows no context
	go func() {
		conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- dialed{conn, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, fmt.Errorf("port forwarding: %w", d.err)
		}
		return f.open(d.conn)
	case <-ctx.Done():
		go func() {
			if d := <-done; d.conn != nil {
				_ = d.conn.Close()
			}
		}()
		return nil, fmt.Errorf("port forwarding: %w", context.Cause(ctx))
	}
}

// dialer goes through a web socket, and through SPDY where the API server, or a proxy
// before it, doesn't know that.
func (f *forwarder) dialer() (httpstream.Dialer, error) {
	base, _, err := rest.DefaultServerUrlFor(f.config)
	if err != nil {
		return nil, err
	}
	u := base.JoinPath("api/v1/namespaces", f.pod.Namespace, "pods", f.pod.Name, "portforward")
	webSocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, f.config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(f.config)
	if err != nil {
		return nil, err
	}
	direct := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
	return portforward.NewFallbackDialerForStreaming(webSocket, direct, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// open opens the two streams of a connection to the port: errors, and data.
func (f *forwarder) open(conn httpstream.Connection) (net.Conn, error) {
	header := http.Header{}
	header.Set(v1.StreamType, v1.StreamTypeError)
	header.Set(v1.PortHeader, strconv.Itoa(f.port))
	header.Set(v1.PortForwardRequestIDHeader, "0")
	failure, err := conn.CreateStream(header)
	if err == nil {
		_ = failure.Close() // nothing is written to it
		header.Set(v1.StreamType, v1.StreamTypeData)
		var data httpstream.Stream
		if data, err = conn.CreateStream(header); err == nil {
			c := &forwarded{conn: conn, data: data, failed: make(chan struct{})}
			go c.watch(failure)
			return c, nil
		}
	}
	_ = conn.Close()
	return nil, fmt.Errorf("port forwarding: %w", err)
}

// forwarded is one connection. It has no deadlines: an http.Client closes it at its own.
type forwarded struct {
	conn   httpstream.Connection
	data   httpstream.Stream
	close  sync.Once
	failed chan struct{} // closed when failure is what it will be
	// failure is what the kubelet says about the connection.
	failure error
}

// watch reads what goes wrong.
func (c *forwarded) watch(failure httpstream.Stream) {
	defer close(c.failed)
	text, err := io.ReadAll(io.LimitReader(failure, 4096))
	if err == nil && len(text) > 0 {
		c.failure = errors.New(quoted.Ends(reason(string(text)), maxError))
	}
}

// reason is the part of a kubelet's words that says what is wrong.
func reason(text string) string {
	if strings.Contains(text, "connection refused") {
		return "nothing listens at the status port: " + text
	}
	return text
}

// failureGrace is how long the kubelet's reason may come after the end of the data.
const failureGrace = time.Second

func (c *forwarded) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if n > 0 || err == nil {
		return n, err
	}
	select {
	case <-c.failed:
		if c.failure != nil {
			return 0, c.failure
		}
	case <-time.After(failureGrace):
	}
	return 0, err
}

func (c *forwarded) Write(p []byte) (int, error) { return c.data.Write(p) }

func (c *forwarded) Close() error {
	c.close.Do(func() {
		_ = c.data.Reset()
		_ = c.conn.Close()
	})
	return nil
}

func (*forwarded) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*forwarded) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*forwarded) SetDeadline(time.Time) error      { return nil }
func (*forwarded) SetReadDeadline(time.Time) error  { return nil }
func (*forwarded) SetWriteDeadline(time.Time) error { return nil }
