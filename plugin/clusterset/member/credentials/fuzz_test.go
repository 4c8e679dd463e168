package credentials

import (
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime/metrics"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

// maxAllocated is what reading a kubeconfig may take, in bytes, whatever is in it.
const maxAllocated = 1 << 28

// ours are credentials that client-go would find by itself: they are no Secret's.
const ours = `apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
users: [{name: a, user: {token: ours}}]
`

// FuzzKubeconfig takes a kubeconfig as whoever may write a Secret does, and looks at
// the configuration that is used in the end.
func FuzzKubeconfig(f *testing.F) {
	path := filepath.Join(f.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(ours), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Setenv("KUBECONFIG", path)
	f.Fuzz(func(t *testing.T, text []byte, context string) {
		c := Credentials{Kubeconfig: text, Context: context}
		before := allocated()
		config, err := c.RESTConfig()
		if took := allocated() - before; took > maxAllocated {
			t.Fatalf("%d bytes for %d", took, len(text))
		}
		again, errAgain := c.RESTConfig()
		if (err == nil) != (errAgain == nil) || !reflect.DeepEqual(config, again) {
			t.Fatalf("read again: %v, %v; %v, %v", config, err, again, errAgain)
		}
		if err == nil {
			checkConfig(t, config, text)
		}
	})
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkConfig: it is a server, how to know it, and a token or a certificate, all three
// from the text; every other field is as it is for everybody.
func checkConfig(t *testing.T, config *rest.Config, text []byte) {
	t.Helper()
	server, err := url.Parse(config.Host)
	if err != nil || server.Scheme != "https" || server.Hostname() == "" || server.User != nil {
		t.Fatalf("server %q", config.Host)
	}
	said := stringsIn(t, text)
	for what, credential := range map[string]string{
		"token": config.BearerToken, "certificate": string(config.CertData), "key": string(config.KeyData), "authority": string(config.CAData), "server name": config.ServerName,
	} {
		if credential != "" && !said[credential] && !said[base64.StdEncoding.EncodeToString([]byte(credential))] {
			t.Fatalf("the %s isn't the text's: %q", what, credential)
		}
	}
	if config.BearerToken == "" && (len(config.CertData) == 0 || len(config.KeyData) == 0) {
		t.Fatal("nobody's credentials")
	}
	if config.Insecure != (len(config.CAData) == 0) {
		t.Fatalf("insecure %t, with an authority of %d bytes", config.Insecure, len(config.CAData))
	}
	rested := *config
	rested.Host, rested.BearerToken = "", ""
	rested.TLSClientConfig = rest.TLSClientConfig{CAFile: config.CAFile, CertFile: config.CertFile, KeyFile: config.KeyFile, NextProtos: config.NextProtos}
	everybodys := rest.Config{UserAgent: userAgent, QPS: config.QPS, Burst: config.Burst, WarningHandler: config.WarningHandler}
	if !reflect.DeepEqual(rested, everybodys) {
		t.Fatalf("more than a server and credentials: %#v", rested)
	}
}

// stringsIn are all strings of a document, without the line breaks that base64 may have.
func stringsIn(t *testing.T, text []byte) map[string]bool {
	t.Helper()
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("taken, though it can't be read: %v", err)
	}
	found := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			found[v] = true
			if data, err := base64.StdEncoding.DecodeString(v); err == nil {
				found[string(data)] = true
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(document)
	return found
}
