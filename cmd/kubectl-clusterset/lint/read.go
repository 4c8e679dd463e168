package lint

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	v1 "k8s.io/api/core/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// Bounds of what is read. A document has the server's own; a stream of manifests has room for
// others beside it.
const (
	maxFile      = 32 << 20
	maxManifests = 10_000
)

const (
	stdin = "-"
	// configMap is the name by which the ClusterSet's is known, whatever is in it.
	configMap = "clusterset"
)

// documents are one ClusterSet's, by the names that findings have.
type documents map[string]string

// read returns the ClusterSets in files: that of the files which are documents, and one for
// each ConfigMap.
func read(files []string, in io.Reader) ([]documents, error) {
	var all []documents
	plain := make(documents)
	for _, file := range files {
		text, err := readFile(file, in)
		if err != nil {
			return nil, err
		}
		manifests, found, err := configMaps(file, text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", file, err)
		case !manifests:
			plain[file] = string(text)
		case len(found) == 0:
			return nil, fmt.Errorf("%s: has manifests, and no ConfigMap of a ClusterSet among them", file)
		}
		all = append(all, found...)
	}
	if len(plain) > 0 {
		all = append([]documents{plain}, all...)
	}
	return all, nil
}

func readFile(file string, in io.Reader) ([]byte, error) {
	if file != stdin {
		return boundedfile.Read(file, maxFile)
	}
	text, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if len(text) > maxFile {
		return nil, fmt.Errorf("standard input: has more than %d bytes", maxFile)
	}
	return text, err
}

// configMaps returns the ClusterSets of the ConfigMaps in a file, and reports whether it has
// manifests at all; else it is a document.
func configMaps(file string, text []byte) (manifests bool, found []documents, err error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for range maxManifests {
		manifest, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return manifests, found, nil
		}
		if err != nil {
			return false, nil, err
		}
		switch kindOf(manifest) {
		case "", document.Kind:
		case "ConfigMap":
			manifests = true
			var m v1.ConfigMap
			if err := yaml.Unmarshal(manifest, &m); err != nil {
				return false, nil, fmt.Errorf("ConfigMap: %w", err)
			}
			if of := documentsOf(file, &m); of != nil {
				found = append(found, of)
			}
		default:
			manifests = true
		}
	}
	return false, nil, fmt.Errorf("has more than %d manifests", maxManifests)
}

// kindOf returns the kind that a YAML text says it is, "" where it says none.
func kindOf(text []byte) string {
	var is struct{ Kind string }
	if yaml.Unmarshal(text, &is) != nil {
		return "" // what is wrong with it is for who reads all of it
	}
	return is.Kind
}

// documentsOf returns those in a ConfigMap, nil where it isn't a ClusterSet's.
func documentsOf(file string, m *v1.ConfigMap) documents {
	of, is := make(documents), m.Name == configMap
	for key, text := range document.Of(m.Data) {
		of[file+": "+m.Name+": "+key] = text
		is = is || kindOf([]byte(text)) == document.Kind
	}
	if !is {
		return nil
	}
	return of
}
