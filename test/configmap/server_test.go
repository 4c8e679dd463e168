//go:build e2e

package configmap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const serverIP = "127.0.0.1"

// rate is the queries per second of a load: enough that any gap is hit, and half
// of what the machine can do.
const rate = 3000

// server is a clusterset server: the CoreDNS under test.
type server struct {
	*harness.Server
	started time.Time
}

// startServer starts one whose ClusterSet is in the ConfigMap that the
// kubeconfig leads to, and returns when it answers. It also serves other.test, a
// zone that has nothing to do with the ClusterSet; more are further lines of its
// block.
func startServer(t *testing.T, kubeconfig string, more ...string) *server {
	t.Helper()
	s := newServer(t, kubeconfig, more...)
	harness.Eventually(t, harness.StartLimit, "start", s.otherZone)
	return s
}

// startServing starts what most tests begin with: an API server whose ConfigMap
// has one member, c1, and a clusterset server that answers for it. It may do what
// the rules say, besides reading the ConfigMap.
func startServing(t *testing.T, rules ...rbacv1.PolicyRule) (*api, *dnsService, *server) {
	t.Helper()
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	a.write(one(member(1, c1.Addr)))
	s := startServer(t, a.kubeconfig(append(rules, theConfigMap())...))
	s.Await(t, seen, who("c1"), answer(c1.mark))
	return a, c1, s
}

// newServer starts a clusterset server. It keeps no answers, so that each question
// tells how the member is reached.
func newServer(t *testing.T, kubeconfig string, more ...string) *server {
	t.Helper()
	lines := fmt.Sprintf(`log
    clusterset lan in-addr.arpa {
        configmap
        kubeconfig %s
        cache 0
    }
    file other.db other.test
    %s`, kubeconfig, strings.Join(more, "\n    "))
	started := time.Now()
	return &server{harness.StartServer(t, "clusterset", serverIP, lines, map[string]string{
		"other.db": zone("192.0.2.1"),
		// For a block that serves the local cluster's own domain.
		"here.db": zone(markHere), "here-reverse.db": reverseZone(t, markHere),
	}), started}
}

// otherZone tells whether what isn't the ClusterSet's is served.
func (s *server) otherZone() error {
	s.Running()
	return s.Answers("who.default.svc.other.test.", answer("192.0.2.1"))
}

// who is the service that every member has, at the member.
func who(member string) string { return "who.default." + member + ".lan." }

// Replies, as harness.Describe has them.
const (
	notReady = "SERVFAIL EDE14" // RFC 8914: Not Ready
	noDNS    = "SERVFAIL EDE22" // No Reachable Authority: a member that can't be asked
	unknown  = "NXDOMAIN"
)

// answer is the reply with the one record of a zone here.
func answer(value string) string { return "NOERROR 5 " + value }
