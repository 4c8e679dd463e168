// Package credentials turns what a document names as the credentials for a member's
// API into a rest.Config. It does no network I/O.
//
// A kubeconfig from a Secret is data and nothing else (inline.go); one from a file may
// name files and run commands (file.go), as its owner may anyway. Either is parsed
// within bounds (kubeconfig.go). expiry.go reads when the credentials expire.
package credentials

import (
	"cmp"
	"crypto/sha256"
	"fmt"

	"k8s.io/client-go/rest"
)

// Credentials are how to reach an API: a kubeconfig, or a Config.
type Credentials struct {
	Kubeconfig []byte
	// Dir is the folder of the kubeconfig's file, which its relative paths start from;
	// "" where it isn't from a file.
	Dir string
	// Context is the context of the kubeconfig to use, "" for its current one.
	Context string
	// Config is used instead where it isn't nil.
	Config *rest.Config
}

// IsEmpty reports whether there are none.
func (c *Credentials) IsEmpty() bool { return c.Config == nil && len(c.Kubeconfig) == 0 }

// Key is equal for equal credentials.
func (c *Credentials) Key() string {
	if c.Config != nil {
		return fmt.Sprintf("config %p", c.Config)
	}
	return fmt.Sprintf("%x %q %q", sha256.Sum256(c.Kubeconfig), c.Dir, c.Context)
}

// ReadsFiles reports whether RESTConfig reads files, which takes as long as the disk
// does.
func (c *Credentials) ReadsFiles() bool { return c.Config != nil || c.Dir != "" }

const userAgent = "coredns-clusterset"

// RESTConfig validates the credentials and returns a Config of their own, which has the
// content of every file that they name. The token's path stays: a token is rotated.
func (c *Credentials) RESTConfig() (*rest.Config, error) {
	config, err := c.parse()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	config.Timeout = 0 // a watch has no end; other requests set their own
	// A backstop only: whoever retries backs off by itself.
	config.QPS, config.Burst, config.RateLimiter = 20, 40, nil
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

func (c *Credentials) parse() (*rest.Config, error) {
	if c.Config != nil {
		config := rest.CopyConfig(c.Config)
		return config, loadConfig(config)
	}
	if c.Dir == "" {
		all, err := parseCached(c.Kubeconfig)
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

// Digest differs between Configs whose files had other content, the token's aside.
func Digest(config *rest.Config) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q %q", config.CAData, config.CertData, config.KeyData)))
}
