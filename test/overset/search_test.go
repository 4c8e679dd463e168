//go:build e2e

package overset

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// timeout is the whole time of a query, by default: what nobody else has, the dead member may.
const timeout = 2 * time.Second

// resolverIP is where the search path's server listens: resolv.conf knows port 53 alone.
const resolverIP = "127.0.133.53"

// searchPath: a pod's C library with ndots:5 and the clusterset zone at the end of its search
// path finds the local service first, then any (lighthouse#954). One member is dead.
func searchPath(s *story) {
	east := s.exported(s.east, s.west)[0]
	far := s.service(s.west, "far")
	s.endpoints(s.west, "far", 1, 1)
	s.export(s.west, "far")
	dead := member{name: "dead", dns: s.silent(), n: 9}
	const corefile = `. {
 bind %s
 errors
 clusterset lan clusterset.local {
  file %s
  multicluster clusterset.local
  local east
 }
 kubernetes cluster.local {
  kubeconfig %s
 }
}
`
	server := harness.StartCoreDNS(s.T, "a cluster's DNS", map[string]string{
		setFile:    document(nil, s.east.as(), s.west.as(), dead),
		"Corefile": fmt.Sprintf(corefile, resolverIP, setFile, s.east.up.Kubeconfig("east")),
	})
	for _, zone := range []string{"cluster.local.", "clusterset.local."} {
		server.AwaitDNS(dns.Client{}, resolverIP+":53", "web."+s.namespace+".svc."+zone)
	}
	resolv := filepath.Join(s.TempDir(), "resolv.conf")
	harness.WriteFile(s.T, resolv, fmt.Sprintf("nameserver %s\nsearch %s.svc.cluster.local svc.cluster.local cluster.local svc.clusterset.local\noptions ndots:5\n", resolverIP, s.namespace))
	const zone = ".svc.clusterset.local"
	for _, test := range []struct {
		name, want string
		limit      time.Duration
	}{
		{"web", east + " web." + s.namespace + ".svc.cluster.local", prompt},
		{"web." + s.namespace, east + " web." + s.namespace + ".svc.cluster.local", prompt},
		{"web." + s.namespace + zone, east + " web." + s.namespace + zone, prompt},
		{"far." + s.namespace, far + " far." + s.namespace + zone, prompt},
		{"far", "", prompt},
		{"nothing." + s.namespace, "", timeout + prompt},
	} {
		start := time.Now()
		out, err := resolve(s, resolv, test.name)
		took := time.Since(start)
		if !strings.HasPrefix(out, test.want) || (err == nil) != (test.want != "") {
			s.Errorf("%s: %q (%v), want %q", test.name, out, err, test.want)
		}
		if took > test.limit {
			s.Errorf("%s: after %v, want within %v", test.name, took, test.limit)
		}
		s.Logf("%s: %q after %v", test.name, out, took)
	}
}

// resolve has the C library resolve a name with a resolv.conf, and returns the first address
// and the name that it was found under. It needs root, for a mount namespace.
func resolve(s *story, resolv, name string) (string, error) {
	s.Helper()
	const mount = `mount --bind "$1" /etc/resolv.conf && exec getent ahosts "$2"`
	out, err := exec.CommandContext(s.Context(), "unshare", "--mount", "sh", "-c", mount, "sh", resolv, name).CombinedOutput()
	fields := strings.Fields(string(out)) // ADDRESS STREAM NAME, and others
	if len(fields) < 3 {
		return string(out), err
	}
	return fields[0] + " " + fields[2], err
}
