package corefile

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// portOffset is added to every DNS port, so that the tests need not be root.
const portOffset = 10000

// schemePorts are the ports of server blocks that give none.
var schemePorts = map[string]int{"": 53, "dns": 53, "tls": 853, "quic": 853, "grpc": 443, "https": 443, "https3": 443}

// place is what an example finds on the test's machine instead of what it was
// written for. Nothing else about it is changed:
//   - every server block listens on address, each port portOffset higher, and so
//     do health, ready and prometheus, on their own ports;
//   - clusterset and kubernetes get kubeconfig, where they would be in a cluster;
//   - paths are those of files that the test made;
//   - forward asks resolver.
type place struct {
	address string
	port    int // of plain DNS
	// kubeconfig is of the API; by default of one that refuses connections.
	kubeconfig string
	// document is the path of the ClusterSet document, for those who want a file.
	document string
	// resolver is the ADDRESS:PORT of the DNS of everything else.
	resolver string
	// certificates are what a tls:// server block shows and checks.
	certificates certificates
	// zone is a file with cluster.local; with it, the file plugin answers in the
	// place of kubernetes.
	zone string
	// uncached leaves the cache plugin out: it keeps every option of EDNS to
	// itself, extended errors too.
	uncached bool
}

func newPlace(t *testing.T) place {
	t.Helper()
	return place{
		address: loopback(), port: 53 + portOffset, kubeconfig: refusedAPI(t), resolver: resolver(t),
	}
}

func (p place) rewrite(t *testing.T, corefile string) string {
	t.Helper()
	asJSON, err := caddyfile.ToJSON([]byte(corefile))
	if err != nil {
		t.Fatal(err)
	}
	var blocks caddyfile.EncodedCaddyfile
	if err := json.Unmarshal(asJSON, &blocks); err != nil {
		t.Fatal(err)
	}
	for i := range blocks {
		for k, key := range blocks[i].Keys {
			blocks[i].Keys[k] = moved(t, key)
		}
		body := [][]any{{"bind", p.address}}
		for _, line := range blocks[i].Body {
			if line[0] != "bind" && (line[0] != "cache" || !p.uncached) {
				body = append(body, p.directive(line))
			}
		}
		blocks[i].Body = body
	}
	if asJSON, err = json.Marshal(blocks); err != nil {
		t.Fatal(err)
	}
	text, err := caddyfile.FromJSON(asJSON)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moved is a server block's key on a port that needs no root.
func moved(t *testing.T, key string) string {
	t.Helper()
	scheme, zone, found := strings.Cut(key, "://")
	if !found {
		scheme, zone = "", key
	}
	port, known := schemePorts[scheme]
	if !known {
		t.Fatalf("server block %q: unknown scheme", key)
	}
	if host, given, err := net.SplitHostPort(zone); err == nil {
		zone = host
		if port, err = strconv.Atoi(given); err != nil {
			t.Fatalf("server block %q: %v", key, err)
		}
	}
	moved := fmt.Sprintf("%s:%d", zone, port+portOffset)
	if found {
		moved = scheme + "://" + moved
	}
	return moved
}

// directive is one line of a server block, with its own block as last argument.
func (p place) directive(line []any) []any {
	switch line[0] {
	case "health":
		return withAddress(line, p.address+":8080")
	case "ready":
		return withAddress(line, p.address+":8181")
	case "prometheus":
		return withAddress(line, p.address+":9153")
	case "tls":
		files := []any{p.certificates.serverCert, p.certificates.serverKey, p.certificates.ca}
		return slices.Concat(line[:1], files[:len(arguments(line))], options(line))
	case "forward":
		return slices.Concat(line[:2], []any{p.resolver}, options(line))
	case "kubernetes":
		if p.zone != "" {
			return []any{"file", p.zone, "cluster.local"}
		}
		return p.withAPI(line)
	case "clusterset":
		return p.withAPI(line)
	}
	return line
}

// withAPI gives the stanza the API that a pod would have, or its file.
func (p place) withAPI(line []any) []any {
	block := []any{}
	for _, group := range options(line) {
		for _, option := range group.([]any) {
			words := option.([]any)
			switch words[0] {
			case "file":
				return slices.Concat(line[:1], arguments(line), []any{withFile(group.([]any), p.document)})
			case "kubeconfig":
			case "status":
				block = append(block, []any{"status", p.address + ":9154"})
			default:
				block = append(block, option)
			}
		}
	}
	block = append(block, []any{"kubeconfig", p.kubeconfig})
	return slices.Concat(line[:1], arguments(line), []any{block})
}

func withFile(block []any, path string) []any {
	block = slices.Clone(block)
	for i, option := range block {
		if option.([]any)[0] == "file" {
			block[i] = []any{"file", path}
		}
	}
	return block
}

// withAddress gives the line that address as its one argument.
func withAddress(line []any, address string) []any {
	return slices.Concat(line[:1], []any{address}, options(line))
}

// arguments are the words after the directive, options its block if it has one.
func arguments(line []any) []any { return line[1 : len(line)-len(options(line))] }

func options(line []any) []any {
	if _, isBlock := line[len(line)-1].([]any); isBlock {
		return line[len(line)-1:]
	}
	return nil
}

func path(t *testing.T, elements ...string) string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
