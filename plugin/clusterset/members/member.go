package members

import (
	"fmt"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/probe"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Member is one member as it is asked: its description, its data, and the client of its
// DNS. It is immutable.
type Member struct {
	*model.Cluster
	// Client is nil where Broken is not.
	Client *exchange.Client
	// Inflight bounds its queries, and the look-ups of what its CNAMEs lead to.
	Inflight *exchange.Inflight
	// Answers is nil without a cache.
	Answers *answercache.Member
	// Data is nil for a member whose data aren't watched.
	Data Data
	// Gateway is nil for a member without a probe.
	Gateway *probe.Probe
	Metrics Metrics
	// Broken is what is wrong with its TLS credentials, so that it can't be asked.
	Broken error

	// tls are the TLS credentials that Client was made with.
	tls discovery.TLSCredentials
	// watch is whether its data are to be watched.
	watch bool
}

// Data are a member's data, watched.
type Data interface {
	// View returns what they are now: one atomic load.
	View() *member.View
	// Status says more, for who asks how they are.
	Status() status.Data
	// Synced is closed once there are any.
	Synced() <-chan struct{}
	// Release ends this user's part in them.
	Release()
}

// Metrics are the series of one member, which exist until Release.
type Metrics interface {
	Exchange() exchange.Metrics
	Cache() answercache.Metrics
	// ReleaseUpstreams ends a client's part in the series of its upstreams.
	ReleaseUpstreams([]model.Upstream)
	Release()
}

// View returns the member's data as they are now, nil where they aren't watched.
func (m *Member) View() *member.View {
	if m.Data == nil {
		return nil
	}
	return m.Data.View()
}

// RTT returns the round-trip time to the member's DNS, 0 where it isn't known.
func (m *Member) RTT() time.Duration {
	if m.Client == nil {
		return 0
	}
	return m.Client.RTT()
}

// IsAlive reports whether its gateway answers its probe; that of a member without a probe
// does.
func (m *Member) IsAlive() bool { return m.Gateway == nil || m.Gateway.Alive() }

// sameAs reports whether m serves for next, a member to be built.
func (m *Member) sameAs(next *Member) bool {
	return m.Equal(next.Cluster) && (m.Data != nil) == next.watch && m.tls.Equal(next.tls) && fmt.Sprint(m.Broken) == fmt.Sprint(next.Broken)
}
