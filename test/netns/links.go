//go:build e2e && linux

package netns

import "testing"

// unplug takes the router's end of the cluster's link down: the cluster loses
// its carrier and the router its route, of which it tells who sends there.
func (c *cluster) unplug(t testing.TB) { c.network.router.ip(t, "link", "set", c.name, "down") }

// plug brings it up, with the route that went with it.
func (c *cluster) plug(t testing.TB) {
	c.network.router.ip(t, "link", "set", c.name, "up")
	c.network.router.ip(t, "route", "replace", c.subnet(), "via", c.linkAddress(2))
}

// unplugUplink takes the cluster's own end down: it has no route to anywhere.
func (c *cluster) unplugUplink(t testing.TB) { c.ns.ip(t, "link", "set", "eth0", "down") }

// plugUplink brings it up, with the route that went with it.
func (c *cluster) plugUplink(t testing.TB) {
	c.ns.ip(t, "link", "set", "eth0", "up")
	c.ns.ip(t, "route", "replace", "default", "via", c.linkAddress(1))
}

// blackHole makes the router drop what is sent to the cluster, without a word.
func (c *cluster) blackHole(t testing.TB) { c.filter(t, "drop") }

// forbid makes the router answer for the cluster, as a firewall that rejects.
func (c *cluster) forbid(t testing.TB) {
	c.filter(t, "reject", "with", "icmp", "type", "admin-prohibited")
}

// filter has the router do that with what is sent to the cluster's services.
func (c *cluster) filter(t testing.TB, action ...string) {
	c.rule(t, append([]string{"ip", "daddr", c.subnet()}, action...)...)
}

// dropAPI makes the router drop these packets to and from the cluster's API.
func (c *cluster) dropAPI(t testing.TB, packets []string) {
	for _, p := range packets {
		c.rule(t, p, "drop")
	}
}

// rule adds one to what the router does for the cluster.
func (c *cluster) rule(t testing.TB, rule ...string) {
	router := c.network.router
	router.nft(t, "add", "table", "ip", c.name)
	router.nft(t, "add", "chain", "ip", c.name, "forward", "{ type filter hook forward priority 0; }")
	router.nft(t, append([]string{"add", "rule", "ip", c.name, "forward"}, rule...)...)
}

// unfilter lets everything through again.
func (c *cluster) unfilter(t testing.TB) { c.network.router.nft(t, "delete", "table", "ip", c.name) }
