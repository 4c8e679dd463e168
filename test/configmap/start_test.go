//go:build e2e

package configmap

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// seen bounds the time from a change to its being seen in answers. The goal is
// 200 ms; the machine that runs this does other things too.
const seen = 5 * time.Second

// A server that has no ClusterSet isn't ready for readyWait after its start, and then
// is; readySlack is for a machine that does other things too.
const readyWait, readySlack = 5 * time.Second, 5 * time.Second

// waits checks a server that has no ClusterSet: it serves what it can, and is ready in
// time without.
func (s *server) waits(t *testing.T) {
	t.Helper()
	s.without(t)
	if err := s.IsReady(); err == nil && time.Since(s.started) < readyWait {
		t.Errorf("ready %v after its start", time.Since(s.started))
	}
	harness.Eventually(t, time.Until(s.started.Add(readyWait+readySlack)), "ready without a ClusterSet", s.IsReady)
	s.without(t)
	if n := s.Logged("plugin/clusterset: Ready after 5s without configmap kube-system/clusterset"); n != 1 {
		t.Errorf("logged %d times that it is ready without, want once", n)
	}
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 0, clusters: 0})
}

// without checks what is served without a ClusterSet.
func (s *server) without(t *testing.T) {
	t.Helper()
	s.Want(t, who("c1"), notReady)
	s.Want(t, "lan.", notReady)
	if err := s.otherZone(); err != nil {
		t.Error(err)
	}
}

// TestReadyWithout: what keeps the ClusterSet away at the start keeps nothing else.
// (Other tests have an API that is away, silent, or forbids it, and no ConfigMap.)
func TestReadyWithout(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	good := a.kubeconfig(theConfigMap())
	otherCA := clustertest.NewAuthority(t).PEM
	for _, test := range []struct {
		name   string
		data   map[string]string
		change func(*clientcmdapi.Config)
		log    string
	}{
		{"bad", one(entry{"C1", "10.101.0.0/16", c1.Addr, ""}), nil, `clusters[0].name: "C1"`},
		{"no keys", map[string]string{"README": "nothing"}, nil, `no key ends in ".yaml"`},
		{"a bomb", map[string]string{"clusterset.yaml": "a: [&a " + strings.Repeat("x", 500_000) + strings.Repeat(", *a", 6000) + "]\n"}, nil, "aliases make the document larger"},
		{"unauthorized", one(member(1, c1.Addr)), func(c *clientcmdapi.Config) {
			for _, user := range c.AuthInfos {
				*user = clientcmdapi.AuthInfo{Token: "unknown"}
			}
		}, "nauthorized"},
		{"distrusted", one(member(1, c1.Addr)), func(c *clientcmdapi.Config) {
			for _, cluster := range c.Clusters {
				cluster.CertificateAuthority, cluster.CertificateAuthorityData = "", otherCA
			}
		}, "x509"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a.write(test.data)
			s := startServer(t, changed(t, good, test.change))
			s.waits(t)
			if s.Logged("[ERROR] plugin/clusterset: ", test.log) == 0 {
				t.Errorf("the log doesn't say %s", test.log)
			}
			s.Reload()
			if err := s.IsReady(); err != nil {
				t.Errorf("after a reload: %v", err)
			}
			if test.change == nil {
				a.write(one(member(1, c1.Addr)))
				s.Await(t, seen, who("c1"), answer(c1.mark))
			}
		})
	}
}

// changed is a copy of a kubeconfig with a change.
func changed(t *testing.T, kubeconfig string, change func(*clientcmdapi.Config)) string {
	t.Helper()
	if change == nil {
		return kubeconfig
	}
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	change(config)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadyTogether: several server blocks wait at the same time.
func TestReadyTogether(t *testing.T) {
	a := startAPI(t)
	kubeconfig := a.kubeconfig(theConfigMap())
	a.up.Pause("api") // silent: the longest wait
	var blocks []string
	for i := range 5 {
		blocks = append(blocks, fmt.Sprintf("}\nlan%d:%d {\nbind %s\nclusterset {\nconfigmap other%d\nkubeconfig %s\n}\n", i, harness.FreeAddr(t, serverIP).Port(), serverIP, i, kubeconfig))
	}
	s := startServer(t, kubeconfig, blocks...)
	s.waits(t)
}

func TestNoConfigMapYet(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.waits(t)
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 0, configErrors: 1})
	if n := s.Logged("[ERROR]", "configmap kube-system/clusterset: not found"); n != 1 {
		t.Errorf("logged %d times that there is no ConfigMap, want once", n)
	}

	written := a.write(one(member(1, c1.Addr)))
	s.Await(t, seen, who("c1"), answer(c1.mark))
	answered := time.Since(written)
	harness.Eventually(t, seen, "ready", s.IsReady)
	t.Logf("ConfigMap created: answers after %v, ready after %v", answered, time.Since(written))
	s.Want(t, reverseName(t, c1.mark), answer("who.default.svc.c1.lan."))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, configErrors: 1, clusters: 1, upstreams("c1", "up"): 1})
}

// TestForbidden: a server whose role is forgotten says what to allow, and takes
// up the ClusterSet when it is.
func TestForbidden(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	a.write(one(member(1, c1.Addr)))
	s := startServer(t, a.kubeconfig())
	s.waits(t)
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 0})
	if n := s.Logged("[ERROR]", "configmaps kube-system/clusterset: forbidden; allow get, list and watch"); n != 1 {
		t.Errorf("logged %d times what to allow, want once", n)
	}
	a.grant(theConfigMap())
	// client-go's reflector tries again after up to 2, 4, 8... seconds.
	t.Logf("allowed: answers after %v", s.Await(t, retried, who("c1"), answer(c1.mark)))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 1})
}
