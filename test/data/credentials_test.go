//go:build e2e

package data

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// tokensKnown is how long an API server believes in a token without looking
// again.
const tokensKnown = 10 * time.Second

// credentials are two servers that watch c1 with a ServiceAccount's kubeconfig,
// one from a Secret of its own API, the other from a file.
type credentials struct {
	c1, c2  *cluster
	reader  *account
	hub     *hub
	file    string
	servers []*server
	good    string // the kubeconfig in use
}

func startCredentials(t *testing.T) *credentials {
	t.Helper()
	clusters := startClusters(t, 3)
	c := &credentials{c1: clusters[0], c2: clusters[1], file: filepath.Join(t.TempDir(), "c1")}
	c.reader, c.hub = c.c1.reader(), startHub(clusters[2], "c1", "c2")
	c.give(t, c.reader.kubeconfig())
	c.good = harness.ReadFile(t, c.file)
	c.hub.give("c2", c.c2.kubeconfig())
	c.hub.set(c.c1, c.c2)
	c.servers = []*server{
		startServer(t, auto, c.c1.withFile(c.file), entries(c.c2)[0]),
		c.hub.startServer(t, resolve),
	}
	for _, s := range c.servers {
		s.awaitState(t, recovered, "c1", fresh)
		s.awaitState(t, recovered, "c2", fresh)
		s.Want(t, name(who, "c1"), fromData(c.c1.ip(1)))
		s.Await(t, settled, name(pods, "c1"), fromData(c.c1.podIP()))
	}
	return c
}

// give makes it c1's kubeconfig, for both servers.
func (c *credentials) give(t *testing.T, kubeconfig string) (start time.Time) {
	t.Helper()
	start = time.Now()
	harness.WriteFile(t, c.file, kubeconfig)
	c.hub.give("c1", kubeconfig)
	return start
}

// mended gives good credentials, and waits until both servers are fresh.
func (c *credentials) mended(t *testing.T, good string) {
	t.Helper()
	start := c.give(t, good)
	c.good = good
	c.fresh(t, start)
}

func (c *credentials) fresh(t *testing.T, since time.Time) {
	t.Helper()
	for _, s := range c.servers {
		s.awaitState(t, recovered, "c1", fresh)
		t.Logf("%s: fresh after %v", s.mode, time.Since(since))
		s.Want(t, name(who, "c1"), fromData(c.c1.ip(1)))
		s.Want(t, name(pods, "c1"), fromData(c.c1.podIP()))
	}
}

// TestCredentials: whatever happens to the credentials for a member's API, its
// names are answered, it is told what is wrong, and what is mended is used
// without a restart. Nobody else notices.
func TestCredentials(t *testing.T) {
	c := startCredentials(t)
	t.Run("rotated", c.rotate)
	for _, test := range []struct {
		name, reason string
		limit        time.Duration // until the trouble is counted
		spoil        func(*testing.T)
		mend         func(*testing.T)
	}{
		{"wrong CA", "tls", noticed, c.wrongCA, c.again},
		{"unknown token", "unauthorized", noticed, c.unknownToken, c.again},
		{"nonsense", "bad_kubeconfig", seen, c.nonsense, c.again},
		{"account deleted", "unauthorized", tokensKnown + noticed, c.deleteAccount, c.newAccount},
		{"right taken away", "forbidden", noticed, c.takeRight, c.giveRight},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := make(map[*server]float64)
			for _, s := range c.servers {
				before[s] = s.Metric(troubles("c1", test.reason))
			}
			served, others := probeAll(c.servers, c.c1, false), probeAll(c.servers, c.c2, true)
			test.spoil(t)
			start := time.Now()
			for _, s := range c.servers {
				s.awaitMore(t, test.limit-time.Since(start), troubles("c1", test.reason), before[s])
				t.Logf("%s: %q counted after %v", s.mode, test.reason, time.Since(start))
			}
			test.mend(t)
			served(t)
			others(t)
		})
	}
}

func (c *credentials) again(t *testing.T) { t.Helper(); c.mended(t, c.good) }

func (c *credentials) wrongCA(t *testing.T) {
	t.Helper()
	c.give(t, withCAOf(t, c.good, c.c2.kubeconfig()))
}

func (c *credentials) unknownToken(t *testing.T) {
	t.Helper()
	c.give(t, c.reader.kubeconfigWith("unknown"))
}

// nonsense is no credentials at all: those that were there stay in use.
func (c *credentials) nonsense(t *testing.T) {
	t.Helper()
	c.give(t, "nonsense")
	harness.Throughout(t, 2*seen, "still fresh", func() error {
		for _, s := range c.servers {
			if s.Metric(state("c1", fresh)) != 1 {
				return fmt.Errorf("%s: not fresh", s.mode)
			}
		}
		return nil
	})
}

// deleteAccount ends its tokens, as their expiry would, without ending the
// watches.
func (c *credentials) deleteAccount(t *testing.T) { t.Helper(); c.reader.delete() }

// newAccount mends it only after the watches have ended as well: until then data
// are fresh, thereafter stale.
func (c *credentials) newAccount(t *testing.T) {
	t.Helper()
	for _, s := range c.servers {
		s.awaitState(t, 0, "c1", fresh)
	}
	c.restartAPI()
	for _, s := range c.servers {
		s.awaitState(t, recovered, "c1", old)
		s.withoutAPI(t, c.c1, pods)
	}
	c.reader.create()
	c.mended(t, c.reader.kubeconfig())
}

// takeRight forbids a part of the data. A watch that has begun goes on, so the
// API is restarted.
func (c *credentials) takeRight(t *testing.T) {
	t.Helper()
	c.reader.forbid()
	c.restartAPI()
}

// restartAPI ends the watches.
func (c *credentials) restartAPI() {
	c.c1.up.Stop("c1")
	c.c1.up.Start("c1")
}

func (c *credentials) giveRight(t *testing.T) {
	t.Helper()
	for _, s := range c.servers {
		s.withoutAPI(t, c.c1, pods)
	}
	c.reader.allow()
	c.fresh(t, time.Now())
}

// rotate gives a new token while the old one is good, as whoever rotates Secrets
// does.
func (c *credentials) rotate(t *testing.T) {
	served := probeAll(c.servers, c.c1, false)
	made := c.reader.token(7200)
	start := c.give(t, c.reader.kubeconfigWith(made.Token))
	const expiry = `coredns_clusterset_api_credentials_expiry_timestamp_seconds{cluster="c1"}`
	for _, s := range c.servers {
		s.AwaitMetrics(t, recovered, map[string]float64{expiry: float64(made.ExpirationTimestamp.Unix())})
	}
	c.fresh(t, start)
	served(t)
}
