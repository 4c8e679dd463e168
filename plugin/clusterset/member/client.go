package member

import (
	"cmp"
	"crypto/sha256"
	"fmt"

	"k8s.io/client-go/rest"
)

// Credentials are how to get to an API: a kubeconfig, or a Config.
type Credentials struct {
	Kubeconfig []byte
	// Dir is the folder of the kubeconfig's file, where its relative paths start;
	// "" if it isn't from a file. Then it is data, and nothing else (inline.go).
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

// files tells that making a Config of them reads files, which may take as long as
// a disk does.
func (c *Credentials) files() bool { return c.Config != nil || c.Dir != "" }

const userAgent = "coredns-clusterset"

// restConfig checks the credentials and gives a Config of their own, with the
// content of all files that they name; the token's may change, so its path stays.
// Nothing is asked.
func (c *Credentials) restConfig() (*rest.Config, error) {
	config, err := c.parse()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	config.Timeout = 0 // a watch has no end; what has one sets its own
	// What retries here waits by itself. This is for what nobody thought of.
	config.QPS, config.Burst, config.RateLimiter = 20, 40, nil
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

func (c *Credentials) parse() (*rest.Config, error) {
	if c.Config != nil {
		config := rest.CopyConfig(c.Config)
		return config, load(config)
	}
	if c.Dir == "" {
		all, err := parseShared(c.Kubeconfig)
		if err != nil {
			return nil, err
		}
		return inline(all, cmp.Or(c.Context, all.CurrentContext))
	}
	all, err := parseKubeconfig(c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return fromFile(all, cmp.Or(c.Context, all.CurrentContext), c.Dir)
}

// digest tells when files have changed that a Config was made of, but for the
// token's.
func digest(config *rest.Config) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q %q", config.CAData, config.CertData, config.KeyData)))
}
