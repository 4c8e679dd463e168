package member

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

// A kubeconfig's bounds: a Secret holds no more than maxKubeconfig; with the nodes
// of a thousand clusters, and a tenth of their depth, it would be another thing.
const (
	maxKubeconfig      = boundedfile.Material
	maxKubeconfigNodes = 50_000
	maxKubeconfigDepth = 100
)

// parsedLast is the newest kubeconfig that is data. A Secret may have a context for each of
// a thousand members, and a tenth of a second's work, and their authorities, for each
// that parses it. Nobody writes to what is parsed.
var parsedLast struct {
	sync.Mutex
	content []byte
	all     *clientcmdapi.Config
	err     error
}

// parseShared is parseKubeconfig for a kubeconfig that is data.
func parseShared(content []byte) (*clientcmdapi.Config, error) {
	last := &parsedLast
	last.Lock()
	defer last.Unlock()
	if last.content == nil || !bytes.Equal(content, last.content) {
		last.content = content
		last.all, last.err = parseKubeconfig(content)
	}
	return last.all, last.err
}

// parseKubeconfig reads a kubeconfig, in YAML or JSON. What its aliases stand for
// counts as often as it is used.
func parseKubeconfig(content []byte) (*clientcmdapi.Config, error) {
	if len(content) > maxKubeconfig {
		return nil, tooBigKubeconfig()
	}
	if bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff")) {
		return nil, errors.New("UTF-16: must be in UTF-8") // the parser would take it, and count nothing below
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

// expansion is how large a document gets when its aliases are expanded.
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
