package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedyaml"
)

const exec = "exec: {command: sh, args: [-c, 'touch RAN'], apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}"

// pair is a certificate and its key, as a kubeconfig's data.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	data := func(kind string, der []byte) string {
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return data("CERTIFICATE", der), data("PRIVATE KEY", secret)
}

// giantCertificate is one whose key takes minutes to verify with.
func giantCertificate(t *testing.T) string {
	t.Helper()
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public := &rsa.PublicKey{N: new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 16384), big.NewInt(1)), E: 65537}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, by)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestInlineKubeconfig: of a kubeconfig that isn't from a file, what would finally
// be used is data, or it is refused by name.
func TestInlineKubeconfig(t *testing.T) {
	ca, key := pair(t)
	giant := giantCertificate(t)
	t.Chdir(t.TempDir())
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"KUBERNETES_MASTER": "https://192.0.2.66", "KUBERNETES_SERVICE_HOST": "192.0.2.66", "KUBERNETES_SERVICE_PORT": "443",
	} {
		t.Setenv(name, value)
	}
	good := "server: https://192.0.2.1:6443, certificate-authority-data: " + ca
	// written makes a kubeconfig with one context; head may replace its beginning.
	written := func(cluster, user string) string {
		return "current-context: one\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n" +
			"clusters: [{name: c, cluster: {" + cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n"
	}
	unnamed := func(cluster, user string) string { // client-go falls back to these
		return "clusters: [{name: '', cluster: {" + cluster + "}}]\nusers: [{name: '', user: {" + user + "}}]\n"
	}
	for _, tc := range []struct {
		name, text, context string
		err                 string // "" is none
	}{
		{name: "token", text: written(good, "token: x")},
		{name: "certificate", text: written(good, "client-certificate-data: "+ca+", client-key-data: "+key)},
		{name: "both", text: written(good, "token: x, client-certificate-data: "+ca+", client-key-data: "+key)},
		{name: "path and name", text: written(good+", tls-server-name: api.example", "token: x")},
		{name: "unchecked", text: written("server: 'https://192.0.2.1', insecure-skip-tls-verify: true", "token: x")},
		{name: "what does nothing", text: written(good+", disable-compression: false, extensions: [{name: e, extension: {a: 1}}]", "token: x") + "preferences: {colors: true}\nextensions: [{name: e, extension: {b: 2}}]\n"},
		{name: "JSON", text: `{"current-context":"one","contexts":[{"name":"one","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"https://192.0.2.1","certificate-authority-data":"` + ca + `"}}],"users":[{"name":"u","user":{"token":"x"}}]}`},
		{name: "an alias", text: written("server: &s https://192.0.2.1:6443, tls-server-name: *s, certificate-authority-data: "+ca, "token: x")},
		{name: "named context", text: written(good, "token: x"), context: "one"},

		{name: "no such context", text: written(good, "token: x"), context: "three", err: `contexts: no "three"`},
		{name: "no current context", text: strings.Replace(written(good, "token: x"), "current-context: one", "", 1), err: "current-context: missing"},
		{name: "context ''", text: strings.Replace(strings.Replace(written(good, "token: x"), "current-context: one", "", 1), "name: one", "name: ''", 1), err: "current-context: missing"},
		{name: "no contexts, exec of ''", text: unnamed(good, exec), err: "current-context: missing"},
		{name: "no contexts, tokenFile of ''", text: unnamed(good, "tokenFile: "+token), err: "current-context: missing"},
		{name: "a context that isn't there, exec of ''", text: "current-context: gone\n" + unnamed(good, exec), err: `contexts: no "gone"`},
		{name: "a context of nothing", text: strings.Replace(written(good, exec), "{cluster: c, user: u}", "{}", 1), err: "cluster: must name one of clusters"},
		{name: "a context of ''", text: "current-context: one\ncontexts: [{name: one, context: {cluster: '', user: ''}}]\n" + unnamed(good, exec), err: "cluster: must name one of clusters"},
		{name: "no such cluster", text: strings.Replace(written(good, "token: x"), "cluster: c,", "cluster: d,", 1), err: "cluster: must name one of clusters"},
		{name: "no such user", text: strings.Replace(written(good, "token: x"), "user: u}", "user: v}", 1), err: "user: must name one of users"},
		{name: "user ''", text: strings.Replace(written(good, "token: x"), "user: u}", "user: ''}", 1), err: "user: must name one of users"},
		{name: "no user's credentials", text: written(good, ""), err: "user: empty"},

		{name: "no server", text: written("certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "http", text: written("server: http://192.0.2.1, certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "no scheme", text: written("server: '192.0.2.1:6443', certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "no host", text: written("server: 'https://:6443', certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "another scheme", text: written("server: 'unix:///run/x', certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "a user in the server", text: written("server: 'https://a:hunter2@192.0.2.1', certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "a query", text: written("server: 'https://192.0.2.1/?a=b', certificate-authority-data: "+ca, "token: x"), err: "server: must be https://"},
		{name: "no authority", text: written("server: https://192.0.2.1", "token: x"), err: "certificate-authority-data: missing"},
		{name: "no certificate in it", text: written("server: https://192.0.2.1, certificate-authority-data: eA==", "token: x"), err: "holds no PEM certificate"},
		{name: "an authority, and unchecked", text: written(good+", insecure-skip-tls-verify: true", "token: x"), err: "insecure-skip-tls-verify: must not be beside"},

		{name: "exec", text: written(good, exec), err: "exec: refused"},
		{name: "exec beside a token", text: written(good, "token: x, "+exec), err: "exec: refused"},
		{name: "auth-provider", text: written(good, "auth-provider: {name: oidc}"), err: "auth-provider: refused"},
		{name: "tokenFile", text: written(good, "tokenFile: "+token), err: "tokenFile: refused"},
		{name: "tokenFile beside a token", text: written(good, "token: x, tokenFile: "+token), err: "tokenFile: refused"},
		{name: "client-certificate", text: written(good, "client-certificate: /c, client-key-data: "+key), err: "client-certificate: refused"},
		{name: "client-key", text: written(good, "client-key: /k, client-certificate-data: "+ca), err: "client-key: refused"},
		{name: "certificate-authority", text: written("server: https://192.0.2.1, certificate-authority: /ca", "token: x"), err: "certificate-authority: refused"},
		{name: "proxy-url", text: written(good+", proxy-url: 'http://192.0.2.9'", "token: x"), err: "proxy-url: refused"},
		{name: "as", text: written(good, "token: x, as: root"), err: "as: refused"},
		{name: "as-uid", text: written(good, "token: x, as-uid: u"), err: "as-uid: refused"},
		{name: "as-groups", text: written(good, "token: x, as-groups: ['system:masters']"), err: "as-groups: refused"},
		{name: "as-user-extra", text: written(good, "token: x, as-user-extra: {a: [b]}"), err: "as-user-extra: refused"},
		{name: "username", text: written(good, "username: a, password: b"), err: "username: refused"},
		{name: "password", text: written(good, "token: x, password: b"), err: "password: refused"},
		{name: "all at once", text: written(good, "tokenFile: /t, "+exec), err: "exec: refused, it isn't from a file; no command is run for it: use a token or a client certificate"},
		{name: "a certificate without its key", text: written(good, "client-certificate-data: "+ca), err: "client-certificate-data, client-key-data:"},
		{name: "a key without its certificate", text: written(good, "token: x, client-key-data: "+key), err: "client-certificate-data, client-key-data:"},
		{name: "a giant authority", text: written("server: https://192.0.2.1, certificate-authority-data: "+giant, "token: x"), err: "certificate-authority-data: RSA key of 16384 bits"},
		{name: "a giant certificate", text: written(good, "client-certificate-data: "+giant+", client-key-data: "+key), err: "client-certificate-data, client-key-data:"},
		{name: "a giant key", text: written(good, "client-certificate-data: "+ca+", client-key-data: "+base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: make([]byte, 1<<18)}))), err: "private key: too large"},
		{name: "an empty exec", text: written(good, "token: x, exec: {}"), err: "exec: refused"},

		{name: "two of a name", text: written(good, "token: x") + "---\n", err: ""},
		{name: "duplicates", text: strings.Replace(written(good, "token: hunter2"), "users: [", "users: [{name: u, user: {token: hunter2}}, ", 1), err: "have the same name"},
		{name: "nothing", text: "", err: "current-context: missing"},
		{name: "no YAML", text: "{", err: "yaml"},
		{name: "another object", text: "a: b", err: "current-context: missing"},
		{name: "empty", text: "apiVersion: v1\nkind: Config\n", err: "current-context: missing"},
		{name: "too large", text: strings.Repeat("x", 1<<20+1), err: "too large: must be at most 1048576 bytes"},
		{name: "large with its aliases", text: "a: &a " + strings.Repeat("x", 1<<19) + "\nb: [*a, *a, *a]\n" + written(good, "token: x"), err: "also with its aliases expanded"},
		{name: "an alias within itself", text: "a: &a [*a]\n" + written(good, "token: x"), err: "nested at most 100 deep"},
		{name: "aliases of aliases", text: "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n" + written(good, "token: x"), err: "at most 50000 values"},
		{name: "many users", text: "users: [" + strings.Repeat("{},", 100_000) + "]\n", err: "at most 50000 values"},
	} {
		c := Credentials{Kubeconfig: []byte(tc.text), Context: tc.context}
		config, err := c.RESTConfig()
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %s", tc.name, err, tc.err)
			} else if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: shows a credential: %v", tc.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		default:
			isData(t, tc.name, config)
		}
	}
	if _, err := os.Stat("RAN"); err == nil {
		t.Error("a command was run")
	}
}

// isData fails for a Config that reaches out of itself.
func isData(t *testing.T, name string, config *rest.Config) {
	t.Helper()
	got := *config
	got.Host, got.BearerToken, got.UserAgent, got.QPS, got.Burst, got.WarningHandler = "", "", "", 0, 0, nil
	got.TLSClientConfig = rest.TLSClientConfig{}
	if !strings.HasPrefix(config.Host, "https://192.0.2.1") || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", rest.Config{}) {
		t.Errorf("%s: host %s, and also %#v", name, config.Host, got)
	}
	if c := config.TLSClientConfig; c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" || c.Insecure == (len(c.CAData) > 0) {
		t.Errorf("%s: %+v", name, c)
	}
}

// TestKubeconfigFile: a kubeconfig from a file may name files, relative to its own,
// and run commands; each file has an end.
func TestKubeconfigFile(t *testing.T) {
	folder := t.TempDir()
	ca, key := pair(t)
	decoded := func(text string) []byte {
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	for name, content := range map[string][]byte{"ca": decoded(ca), "key": decoded(key), "token": []byte(" ours\n"), "empty": nil, "large": make([]byte, 1<<20+1)} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, cluster, user, err string }{
		{name: "files", cluster: "certificate-authority: ca", user: "client-certificate: " + folder + "/ca, client-key: key"},
		{name: "tokenFile", user: "tokenFile: token"},
		{name: "tokenFile beside a token", user: "token: old, tokenFile: token"},
		{name: "exec", user: exec},
		{name: "proxy", cluster: "proxy-url: 'http://192.0.2.9'", user: "token: x"},
		{name: "as", user: "token: x, as: someone"},
		{name: "a pipe as CA", cluster: "certificate-authority: pipe", user: "token: x", err: "is a named pipe"},
		{name: "a pipe as certificate", user: "client-certificate: pipe, client-key: key", err: "is a named pipe"},
		{name: "a pipe as key", user: "client-certificate: ca, client-key: pipe", err: "is a named pipe"},
		{name: "a pipe as token", user: "tokenFile: pipe", err: "is a named pipe"},
		{name: "a pipe as token, beside one", user: "token: x, tokenFile: pipe", err: "is a named pipe"},
		{name: "a device", cluster: "certificate-authority: /dev/zero", user: "token: x", err: "is a device"},
		{name: "a device as token", user: "tokenFile: /dev/zero", err: "is a device"},
		{name: "large", cluster: "certificate-authority: large", user: "token: x", err: "too large"},
		{name: "empty", cluster: "certificate-authority: empty", user: "token: x", err: "empty"},
		{name: "an empty token", user: "tokenFile: empty", err: "empty"},
		{name: "missing", user: "tokenFile: nowhere", err: "no such file"},
	} {
		text := "current-context: one\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n" +
			"clusters: [{name: c, cluster: {server: 'https://192.0.2.1', " + tc.cluster + "}}]\nusers: [{name: u, user: {" + tc.user + "}}]\n"
		c := Credentials{Kubeconfig: []byte(text), Dir: folder}
		config, err := c.RESTConfig()
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %s", tc.name, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case strings.Contains(tc.user, "tokenFile") && (config.BearerToken != "ours" || config.BearerTokenFile == ""):
			t.Errorf("%s: token %q of %q", tc.name, config.BearerToken, config.BearerTokenFile)
		case tc.name == "files" && (len(config.CAData) == 0 || len(config.CertData) == 0 || len(config.KeyData) == 0):
			t.Errorf("%s: %+v", tc.name, config.TLSClientConfig)
		case (config.ExecProvider != nil) != (tc.name == "exec"), (config.Proxy != nil) != (tc.name == "proxy"), (config.Impersonate.UserName != "") != (tc.name == "as"):
			t.Errorf("%s: %+v", tc.name, config)
		}
	}
}

// TestConfigFiles: so may a Config; its digest changes with its files.
func TestConfigFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca")
	digests := make(map[string]bool)
	for _, text := range []string{"one", "two", "two"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := Credentials{Config: &rest.Config{BearerTokenFile: path, TLSClientConfig: rest.TLSClientConfig{CAFile: path}}}
		config, err := c.RESTConfig()
		if err != nil || string(config.CAData) != text || config.CAFile != "" || config.BearerToken != text {
			t.Fatalf("%v %+v", err, config)
		}
		digests[Digest(config)] = true
	}
	if len(digests) != 2 {
		t.Errorf("%d digests of two contents", len(digests))
	}
	for _, path := range []string{path + "x", "/dev/zero"} {
		for _, config := range []*rest.Config{{BearerTokenFile: path}, {TLSClientConfig: rest.TLSClientConfig{CAFile: path}}} {
			c := Credentials{Config: config}
			if _, err := c.RESTConfig(); err == nil {
				t.Errorf("no error for %s", path)
			}
		}
	}
}

// TestKubeconfigDirectives: what the parser would compare each with each isn't parsed.
func TestKubeconfigDirectives(t *testing.T) {
	var text strings.Builder
	for i := range boundedyaml.MaxDirectives + 1 {
		fmt.Fprintf(&text, "%%TAG !%d! tag:example,2026:\n", i)
	}
	text.WriteString("---\n{}\n")
	utf8 := text.String()
	for want, content := range map[string]string{
		"directives":                 utf8,
		"UTF-16: must be in UTF-8":   "\xff\xfe" + strings.ReplaceAll(utf8, "", "\x00")[1:],
		"UTF-16: must be in UTF-8\n": "\xfe\xff" + strings.TrimSuffix(strings.ReplaceAll(utf8, "", "\x00"), "\x00"),
	} {
		_, err := (&Credentials{Kubeconfig: []byte(content)}).RESTConfig()
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("error %v", err)
		}
	}
}

// TestKubeconfigItems: a Secret of many small values is refused before a parser makes them,
// 180 MiB of 1 MB: more than what is left of a CoreDNS's memory. What people have is far
// from that.
func TestKubeconfigItems(t *testing.T) {
	for name, text := range map[string]string{
		"keys of lines": "?\n", "a list": "-\n", "comments": "a: 1 # c\n", "comments before": "# c\n- 1\n", "tags": "- !x a\n",
		"mappings": "- a: 1\n", "CR": "?\r", "NEL": "-\u0085", "LS": "-\u2028",
	} {
		refusedCheaply(t, name, strings.Repeat(text, maxKubeconfig/len(text)))
	}
	for name, text := range map[string]string{"[": "1,", "{": "a: ,", "[[": "[],", "[{": "{},"} {
		refusedCheaply(t, name+text, name+strings.Repeat(text, (maxKubeconfig-2)/len(text)))
	}
	var clusters, users, contexts strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&clusters, "- cluster:\n    certificate-authority-data: %s\n    server: https://127.0.0.1:%d\n  name: c%d\n", strings.Repeat("QUFB", 100), 1000+i, i)
		fmt.Fprintf(&users, "- name: u%d\n  user:\n    token: x\n", i)
		fmt.Fprintf(&contexts, "- context:\n    cluster: c%d\n    user: u%d\n  name: x%d\n", i, i, i)
	}
	text := "apiVersion: v1\nkind: Config\nclusters:\n" + clusters.String() + "users:\n" + users.String() + "contexts:\n" + contexts.String()
	if all, err := parseKubeconfig([]byte(text)); err != nil || len(all.Contexts) != 1000 {
		t.Error(err)
	}
}

// TestKubeconfigShared: members that have a Secret together share what it takes to read it.
func TestKubeconfigShared(t *testing.T) {
	kubeconfig := func(port int) []byte {
		var b strings.Builder
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:%d', insecure-skip-tls-verify: true}}]\n", port)
		b.WriteString("users: [{name: u, user: {token: x}}]\ncontexts:\n")
		for i := range 1000 {
			fmt.Fprintf(&b, "- context:\n    cluster: c\n    user: u\n  name: x%d\n", i)
		}
		return []byte(b.String())
	}
	for port := range 2 { // the newest counts
		content := kubeconfig(1 + port)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range 1000 {
			c := Credentials{Kubeconfig: content, Context: fmt.Sprint("x", i)}
			config, err := c.RESTConfig()
			if want := fmt.Sprint("https://127.0.0.1:", 1+port); err != nil || config.Host != want {
				t.Fatalf("%v, want %s", err, want)
			}
		}
		runtime.ReadMemStats(&after)
		if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 100 {
			t.Errorf("takes %d MiB", mib)
		}
	}
}

func refusedCheaply(t *testing.T, name, text string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parseKubeconfig([]byte(text))
	runtime.ReadMemStats(&after)
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || !strings.Contains(err.Error(), "too large") || mib > 8 {
		t.Errorf("%s: %d MiB, error %v", name, mib, err)
	}
}
