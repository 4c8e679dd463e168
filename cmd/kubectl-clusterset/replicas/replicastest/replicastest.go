// Package replicastest runs verbs against status servers, for tests.
package replicastest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// Serve starts a status server until the test's end, and returns its address.
func Serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Run runs a verb, with its arguments, against servers. Their addresses are A, B, ... in what
// it writes.
func Run(t testing.TB, verb func(*cli.Context) *cobra.Command, servers []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := cli.New(strings.NewReader(""), &stdout, &stderr, "v1")
	c.Getenv = func(string) string { return "" }
	var names []string
	for n, s := range servers {
		args = append(args, "--server", s)
		names = append(names, s, string(rune('A'+n)))
	}
	command := verb(c)
	code = c.Run(cli.NewRoot(c, command), append([]string{command.Name()}, args...))
	replace := strings.NewReplacer(names...)
	return code, replace.Replace(stdout.String()), replace.Replace(stderr.String())
}
