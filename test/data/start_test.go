//go:build e2e

package data

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// waited is how long data are waited for, waitedSlack what the start of a
	// CoreDNS takes besides.
	waited, waitedSlack = 5 * time.Second, 2 * time.Second
	// prompt is an answer that waited for nobody.
	prompt = 200 * time.Millisecond
)

// trap is a member whose data can't be had.
type trap struct {
	entry
	c      *cluster // with its DNS, which is well
	reason string
}

// traps are members with everything that can be wrong from the start; c1 is well.
func traps(t *testing.T, c1, c2 *cluster) (all []trap, silent *harness.Relay) {
	t.Helper()
	silent, toSilent := harness.StartRelay(t, c2.up, c2.name)
	silent.Silence()
	refusing, toRefusing := harness.StartRelay(t, c2.up, c2.name)
	refusing.Stop()
	for i, each := range []struct{ name, kubeconfig, reason string }{
		{"silent", toSilent, "timeout"},
		{"refusing", toRefusing, "unreachable"},
		{"unauthorized", (&account{cluster: c1}).kubeconfigWith("unknown"), "unauthorized"},
		{"distrusted", withCAOf(t, c1.kubeconfig(), c2.kubeconfig()), "tls"},
		{"nonsense", "nonsense", "bad_kubeconfig"},
		{"nofile", "", "bad_kubeconfig"},
	} {
		c := &cluster{t: t, name: each.name, n: 10 + i}
		c.dns = startZones(t, c)
		path := filepath.Join(t.TempDir(), each.name)
		if each.kubeconfig != "" {
			harness.WriteFile(t, path, each.kubeconfig)
		}
		all = append(all, trap{c.withFile(path), c, each.reason})
	}
	return all, silent
}

// TestStart: members whose data can't be had delay the start by 5 seconds and
// change nothing for others.
func TestStart(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	bad, silent := traps(t, c1, c2)
	members := entries(c1)
	for _, b := range bad {
		members = append(members, b.entry)
	}
	for _, mode := range []string{auto, resolve} {
		t.Run(mode, func(t *testing.T) {
			s := newServer(t, mode, "file "+setFile, document(members...))
			if err := s.IsReady(); err == nil {
				t.Error("ready before there are data")
			}
			took := s.awaitReady(t, waited+waitedSlack)
			t.Logf("ready after %v", took)
			if took < waited-waitedSlack {
				t.Errorf("ready after %v, want %v", took, waited)
			}
			s.untrapped(t, c1, bad)
			for _, b := range bad {
				s.awaitMore(t, noticed, troubles(b.name, b.reason), 0)
			}
			silent.Resume()
			took = s.awaitState(t, recovered, "silent", fresh)
			t.Logf("fresh %v after the API answers", took)
			silent.Silence()
		})
	}
}

// untrapped checks what is answered beside members without data.
func (s *server) untrapped(t *testing.T, c1 *cluster, bad []trap) {
	t.Helper()
	well := s.Probe(name(who, c1.name), fromData(c1.ip(1)))
	for _, b := range bad {
		s.awaitState(t, 0, b.name, unsynced)
		who, nobody := name(who, b.name), name(nowhere, b.name)
		if s.mode == auto {
			s.Want(t, who, fromDNS(b.c.forwardedIP()))
			s.Want(t, nobody, missing)
			continue
		}
		s.Want(t, who, notSynced)
		s.Want(t, nobody, notSynced)
	}
	well.End(t)
	if well.Slowest > prompt {
		t.Errorf("answers of a member that is well took up to %v", well.Slowest)
	}
}

// TestReady: ready is when the data are there, and a member that comes later
// takes nothing back.
func TestReady(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	relay, kubeconfig := harness.StartRelay(t, c1.up, c1.name)
	relay.Silence()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	harness.WriteFile(t, path, kubeconfig)
	start := time.Now()
	s := newServer(t, resolve, "file "+setFile, document(c1.withFile(path)))
	harness.Eventually(t, harness.StartLimit, "the API is asked", func() error {
		if relay.Conns() == 0 {
			return errors.New("no connection")
		}
		return nil
	})
	if err := s.IsReady(); err == nil {
		t.Error("ready before there are data")
	}
	relay.Resume()
	s.awaitReady(t, waited-time.Since(start))
	t.Logf("ready after %v", time.Since(start))
	s.Want(t, name(who, "c1"), fromData(c1.ip(1)))

	later, silent := harness.StartRelay(t, c2.up, c2.name)
	later.Silence()
	harness.WriteFile(t, path+"2", silent)
	well := s.Probe(name(who, "c1"), fromData(c1.ip(1)))
	s.set(c1.withFile(path), c2.withFile(path+"2"))
	s.Await(t, seen, name(who, "c2"), notSynced)
	harness.Throughout(t, seen, "ready", s.IsReady)
	later.Resume()
	s.awaitState(t, recovered, "c2", fresh)
	s.Want(t, name(who, "c2"), fromData(c2.ip(1)))
	well.End(t)
}
