// Package probe finds out whether members' gateways are alive: it connects to a URL every two
// seconds, and by HTTP asks for it too. Users of the same URL (server blocks, the two instances
// of a reload) share one prober.
//
// It doesn't decide what a dead gateway means for answers, and knows nothing of members. Package
// members calls it.
package probe
