package apiserver

import "fmt"

// Stop ends the cluster's API server as a crash would: clients are refused.
func (c *Clusters) Stop(name string) { c.t.Helper(); c.do("stop", name) }

// Start brings a stopped cluster back, at the address and with the objects that
// it had, and returns when its API is ready. One that runs is left alone.
func (c *Clusters) Start(name string) { c.t.Helper(); c.do("start", name) }

// Pause freezes the cluster's API server: its connections stay open and silent,
// new ones are accepted by the kernel, and nothing is answered.
func (c *Clusters) Pause(name string) { c.t.Helper(); c.do("pause", name) }

// Resume lets a paused API server go on.
func (c *Clusters) Resume(name string) { c.t.Helper(); c.do("resume", name) }

// Wipe gives the cluster an empty store, as a rebuilt cluster has, and returns
// when its API is ready. Its address, certificates and administrator's token
// stay; the resource versions go on, because all clusters share one etcd.
func (c *Clusters) Wipe(name string) { c.t.Helper(); c.do("wipe", name) }

// do sends one command and waits for its answer.
func (c *Clusters) do(verb, name string) {
	c.t.Helper()
	select {
	case e := <-c.send(verb, name):
		if e.Event == "error" {
			c.t.Fatalf("apiserver: %s %s: %s", verb, name, e.Error)
		}
	case <-c.ended:
		c.t.Fatalf("apiserver: %s %s: kube up has ended: %s", verb, name, c.reason())
	}
}

// send returns where the one answer will be.
func (c *Clusters) send(verb, name string) <-chan event {
	c.t.Helper()
	m := c.member(name)
	answer := make(chan event, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	m.waiting = append(m.waiting, answer)
	// It fails only when kube up has ended, and then so says c.ended.
	_, _ = fmt.Fprintln(c.stdin, verb, name)
	return answer
}
