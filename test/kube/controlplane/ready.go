package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// readyTimeout is far above the 2 to 8 seconds that a start takes: eight
	// clusters beside a cold build on two cores must not fail for it.
	readyTimeout = 2 * time.Minute
	// A probe is cheap, and a start takes seconds.
	firstDelay = 20 * time.Millisecond
	lastDelay  = 250 * time.Millisecond
	// probeTimeout bounds one probe of a server that accepts and says nothing.
	probeTimeout = 5 * time.Second
)

// waitReady probes until p is ready. It fails when p ends, when ctx is done, or
// after readyTimeout, whichever is first.
func waitReady(ctx context.Context, p *process, probe func(context.Context) error) error {
	timeout := time.After(readyTimeout)
	for delay := firstDelay; ; delay = min(2*delay, lastDelay) {
		try, cancel := context.WithTimeout(ctx, probeTimeout)
		err := probe(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return p.failure("ended before it was ready")
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return p.failure(fmt.Sprintf("not ready after %v: %v", readyTimeout, err))
		case <-time.After(delay):
		}
	}
}

// get is one probe: nil for status 200.
func get(ctx context.Context, client *http.Client, url, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body) // only for the message
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return nil
}

// clientTrusting returns a client that trusts the certificate in the file pem
// alone, and keeps no connection to a server that may be killed.
func clientTrusting(pem string) (*http.Client, error) {
	text, err := os.ReadFile(pem)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(pem + ": no certificate yet")
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		DisableKeepAlives: true,
	}}, nil
}
