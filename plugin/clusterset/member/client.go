package member

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	core "k8s.io/client-go/kubernetes/typed/core/v1"
	discovery "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Credentials are how to get to an API: a kubeconfig, or a Config.
type Credentials struct {
	Kubeconfig []byte
	// Dir is the folder of the kubeconfig's file, where its relative paths start;
	// "" if it isn't from a file. Then it may name no files and run no commands.
	Dir string
	// Context is the kubeconfig's context to use, "" for its current one.
	Context string
	// Config is used instead where it isn't nil.
	Config *rest.Config
}

// none tells that there is nothing to use.
func (c *Credentials) none() bool { return c.Config == nil && len(c.Kubeconfig) == 0 }

// key tells credentials apart.
func (c *Credentials) key() string {
	if c.Config != nil {
		return fmt.Sprintf("config %p", c.Config)
	}
	return fmt.Sprintf("%x %q %q", sha256.Sum256(c.Kubeconfig), c.Dir, c.Context)
}

const (
	userAgent = "coredns-clusterset"
	protobuf  = "application/vnd.kubernetes.protobuf"
)

// restConfig checks the credentials and gives a Config of their own. Nothing is
// asked, and no file is read.
func (c *Credentials) restConfig() (*rest.Config, error) {
	config, err := c.parse()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	config.ContentType, config.AcceptContentTypes = protobuf, protobuf+",application/json"
	config.Timeout = 0 // a watch has no end; what has one sets its own
	// What retries here waits by itself. This is for what nobody thought of.
	config.QPS, config.Burst, config.RateLimiter = 20, 40, nil
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

func (c *Credentials) parse() (*rest.Config, error) {
	if c.Config != nil {
		return rest.CopyConfig(c.Config), nil
	}
	all, err := clientcmd.Load(c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	name := cmp.Or(c.Context, all.CurrentContext)
	if used := all.Contexts[name]; used != nil && c.Dir == "" {
		if err := inline(all.Clusters[used.Cluster], all.AuthInfos[used.AuthInfo]); err != nil {
			return nil, err
		}
	}
	if c.Dir != "" {
		if err := resolvePaths(all, c.Dir); err != nil {
			return nil, err
		}
	}
	return clientcmd.NewNonInteractiveClientConfig(*all, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
}

// inline refuses what reaches out of the kubeconfig. Who may write a Secret gets
// neither a command run by CoreDNS, nor a file of its read: a tokenFile would send
// CoreDNS's own token to a server of their choice.
func inline(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) error {
	var refused []error
	refuse := func(field, set, instead string) {
		if set != "" {
			refused = append(refused, fmt.Errorf("%s: refused, it isn't from a file; %s", field, instead))
		}
	}
	if cluster != nil {
		refuse("certificate-authority", cluster.CertificateAuthority, "use certificate-authority-data")
	}
	if user != nil {
		refuse("client-certificate", user.ClientCertificate, "use client-certificate-data")
		refuse("client-key", user.ClientKey, "use client-key-data")
		refuse("tokenFile", user.TokenFile, "use token")
		if user.Exec != nil {
			refuse("exec", "exec", "no command is run for it: use a token or a client certificate")
		}
		if user.AuthProvider != nil {
			refuse("auth-provider", "auth-provider", "use a token or a client certificate")
		}
	}
	return errors.Join(refused...)
}

// resolvePaths makes relative paths start at dir.
func resolvePaths(all *clientcmdapi.Config, dir string) error {
	origin := filepath.Join(dir, "kubeconfig") // only its folder counts
	for _, cluster := range all.Clusters {
		cluster.LocationOfOrigin = origin
	}
	for _, user := range all.AuthInfos {
		user.LocationOfOrigin = origin
	}
	return clientcmd.ResolveLocalPaths(all)
}

// load reads the files that a Config names, but for the token's, which client-go
// reads again by itself. It would do so for the others too, with a goroutine that ends
// when the garbage collector finds it. The digest tells when they changed.
func load(config *rest.Config) (digest string, err error) {
	if err := rest.LoadTLSFiles(config); err != nil {
		return "", err
	}
	config.CAFile, config.CertFile, config.KeyFile = "", "", ""
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q %q", config.CAData, config.CertData, config.KeyData))), nil
}

// clients are those of one session, over connections of its own.
type clients struct {
	core      *core.CoreV1Client
	discovery *discovery.DiscoveryV1Client
	metadata  metadata.Interface
}

func newClients(config *rest.Config, c *conns) (*clients, error) {
	config.Dial = c.dial
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	to := &clients{}
	if to.core, err = core.NewForConfigAndClient(config, client); err != nil {
		return nil, err
	}
	if to.discovery, err = discovery.NewForConfigAndClient(config, client); err != nil {
		return nil, err
	}
	to.metadata, err = metadata.NewForConfigAndClient(config, client)
	return to, err
}

// token is what authenticates by a bearer token, "" where nothing does.
func token(config *rest.Config) string {
	if config.BearerTokenFile != "" {
		content, err := os.ReadFile(config.BearerTokenFile)
		if err == nil {
			return string(content)
		}
	}
	return config.BearerToken
}

// group is what answers GET /apis/GROUP, as far as it is needed.
type group struct {
	Versions []groupVersion `json:"versions"`
}

type groupVersion struct {
	Version string `json:"version"`
}

func parseGroup(content []byte) (g group, err error) {
	err = json.Unmarshal(content, &g)
	return g, err
}
