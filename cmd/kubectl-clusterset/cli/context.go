// Package cli is what the verbs of kubectl clusterset share: the flags that say which
// cluster, the streams, the forms of output, the exit codes, and how a terminal is written
// to. It decides nothing about clusters.
package cli

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// Context is what every verb is given. Data go to Out, progress and errors to ErrOut.
type Context struct {
	genericiooptions.IOStreams
	// Flags are kubectl's own, which every verb has.
	Flags *genericclioptions.ConfigFlags
	// Version is this program's.
	Version string
	// Getenv reads the environment.
	Getenv func(string) string
}

// New returns the Context of a program that was started with these streams.
func New(in io.Reader, out, errOut io.Writer, version string) *Context {
	flags := genericclioptions.NewConfigFlags(true)
	flags.APIServer = nil // --server is of other servers here: a status server, a member's API
	return &Context{
		IOStreams: genericiooptions.IOStreams{In: in, Out: out, ErrOut: errOut},
		Flags:     flags,
		Version:   version,
		Getenv:    os.Getenv,
	}
}

// The pace of asking an API, well above what a person's command needs.
const (
	qps   = 50
	burst = 100
)

// RESTConfig returns how to reach the cluster of a context of the kubeconfig, "" for the one
// that the flags choose.
func (c *Context) RESTConfig(context string) (*rest.Config, error) {
	config, err := c.clientConfig(context)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = qps, burst
	config.UserAgent = "kubectl-clusterset/" + c.Version
	return config, nil
}

func (c *Context) clientConfig(context string) (*rest.Config, error) {
	if context == "" {
		return c.Flags.ToRESTConfig()
	}
	loader := c.Flags.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, err
	}
	if raw.Contexts[context] == nil {
		return nil, &NoContextError{context}
	}
	// The flags' cluster, user and token are of the one context that --context chooses.
	overrides := &clientcmd.ConfigOverrides{}
	if c.Flags.Timeout != nil && *c.Flags.Timeout != "" {
		overrides.Timeout = *c.Flags.Timeout
	}
	return clientcmd.NewNonInteractiveClientConfig(raw, context, overrides, loader.ConfigAccess()).ClientConfig()
}

// NoContextError is that a kubeconfig has no context of the name.
type NoContextError struct{ Name string }

func (e *NoContextError) Error() string {
	return fmt.Sprintf("context %q: not in the kubeconfig; `kubectl config get-contexts` lists them", e.Name)
}

// CurrentContext returns the name of the context that the flags choose, "" where there is
// none: in a pod.
func (c *Context) CurrentContext() string {
	if c.Flags.Context != nil && *c.Flags.Context != "" {
		return *c.Flags.Context
	}
	raw, err := c.Flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

// CompleteContexts completes the name of a context.
func (c *Context) CompleteContexts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	raw, err := c.Flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}

// quietLibrary keeps client-go's own log from repeating what an error says once.
func quietLibrary() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}
