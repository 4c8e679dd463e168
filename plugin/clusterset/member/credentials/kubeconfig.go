package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedyaml"
)

// Bounds of a kubeconfig: a Secret holds no more than maxKubeconfig, and that of a
// thousand clusters has fewer nodes.
const (
	maxKubeconfig      = boundedfile.MaxCredential
	maxKubeconfigNodes = 50_000
	maxKubeconfigDepth = 100
)

// lastParsed caches the newest inline kubeconfig. One Secret may have a context for each
// of a thousand members, and takes each of them 0.1 s to parse. The result is read-only.
var lastParsed struct {
	sync.Mutex
	content []byte
	all     *clientcmdapi.Config
	err     error
}

// parseCached is parseKubeconfig for an inline kubeconfig.
func parseCached(content []byte) (*clientcmdapi.Config, error) {
	last := &lastParsed
	last.Lock()
	defer last.Unlock()
	if last.content == nil || !bytes.Equal(content, last.content) {
		last.content = bytes.Clone(content) // the caller may use its own again
		last.all, last.err = parseKubeconfig(content)
	}
	return last.all, last.err
}

// parseKubeconfig parses a kubeconfig, in YAML or JSON. An alias counts as what it
// stands for, each time.
func parseKubeconfig(content []byte) (*clientcmdapi.Config, error) {
	if len(content) > maxKubeconfig {
		return nil, tooBigKubeconfig()
	}
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return nil, errors.New("UTF-16: must be in UTF-8") // the parser accepts it, and the bounds below don't see it
	}
	if _, line, err := boundedyaml.Items(string(content), maxKubeconfigNodes); err != nil {
		return nil, fmt.Errorf("too large: line %d: %w; must have at most %d values", line, err, maxKubeconfigNodes)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	size := expansion{}
	if err := size.add(&document, 0); err != nil {
		return nil, err
	}
	all, err := clientcmd.Load(content)
	if err != nil && strings.Contains(err.Error(), "duplicate name") {
		return nil, errors.New("two clusters, users or contexts have the same name") // client-go's error shows tokens
	}
	return all, err
}

func tooBigKubeconfig() error {
	return fmt.Errorf("too large: must be at most %d bytes, also with its aliases expanded", maxKubeconfig)
}

// expansion is the size of a document with its aliases expanded.
type expansion struct{ bytes, nodes int }

func (e *expansion) add(node *yaml.Node, depth int) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	e.nodes++
	e.bytes += len(node.Value)
	if e.bytes > maxKubeconfig {
		return tooBigKubeconfig()
	}
	if e.nodes > maxKubeconfigNodes || depth > maxKubeconfigDepth {
		return fmt.Errorf("too large: must have at most %d values, nested at most %d deep", maxKubeconfigNodes, maxKubeconfigDepth)
	}
	for _, child := range node.Content {
		if err := e.add(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}
