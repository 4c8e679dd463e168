package replicas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

const (
	// statusTimeout bounds one request, the connection included. A server answers at once.
	statusTimeout = 10 * time.Second
	// maxReply is more than a thousand members' status has.
	maxReply = 8 << 20
	// maxError bounds what is kept of a server's error.
	maxError = 256
)

// Replica is a server of clusterset that serves its status.
type Replica struct {
	// Name is the pod's, or HOST:PORT.
	Name string
	// Pod is nil for one outside Kubernetes.
	Pod *install.Pod

	client http.Client
}

// OfPods returns the replicas in pods, whose status servers listen at the port. They are
// reached by port forwarding through the API, which the user must be allowed to do.
func OfPods(config *rest.Config, pods []install.Pod, port int) []*Replica {
	var all []*Replica
	for n := range pods {
		f := &forwarder{config: config, pod: &pods[n], port: port}
		all = append(all, newReplica(pods[n].Name, &pods[n], f.dial))
	}
	return all
}

// AtAddresses returns the replicas at addresses, HOST:PORT each.
func AtAddresses(addresses []string) ([]*Replica, error) {
	var all []*Replica
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("%q: not HOST:PORT of a status server", address)
		}
		all = append(all, newReplica(address, nil, func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}))
	}
	return all, nil
}

func newReplica(name string, pod *install.Pod, dial func(context.Context) (net.Conn, error)) *Replica {
	return &Replica{Name: name, Pod: pod, client: http.Client{
		Timeout: statusTimeout,
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it redirects, which a status server doesn't")
		},
	}}
}

// Status asks for its status.
func (r *Replica) Status(ctx context.Context) (*status.Process, error) {
	p := new(status.Process)
	return p, r.get(ctx, "/status.json", nil, p)
}

// Question is what is looked up. Client is an address, "" for the server's own.
type Question struct{ Name, Type, Client string }

// Lookup asks how it would answer.
func (r *Replica) Lookup(ctx context.Context, q Question) (*status.Lookup, error) {
	values := url.Values{"name": {q.Name}, "type": {q.Type}}
	if q.Client != "" {
		values.Set("client", q.Client)
	}
	l := new(status.Lookup)
	return l, r.get(ctx, "/lookup", values, l)
}

// RefusedError is what a status server says to a question that it doesn't answer.
type RefusedError struct {
	Code int
	Text string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("HTTP status %d: %s", e.Code, e.Text) }

func (r *Replica) get(ctx context.Context, path string, query url.Values, into any) error {
	// The host is what a server on loopback lets in.
	u := url.URL{Scheme: "http", Host: "localhost", Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	response, err := r.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the URL is none that the user could open
		}
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxReply:
		return fmt.Errorf("its reply is larger than %d MiB", maxReply>>20)
	case response.StatusCode != http.StatusOK:
		return refused(response.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("its reply isn't a status: %s", quoted.Ends(err.Error(), maxError))
	}
	return nil
}

func refused(code int, body []byte) error {
	var e struct{ Error string }
	if json.Unmarshal(body, &e) != nil || e.Error == "" {
		e.Error = strings.TrimSpace(string(body[:min(maxError, len(body))]))
	}
	return &RefusedError{code, quoted.Ends(e.Error, maxError)}
}
