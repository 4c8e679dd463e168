package members

import (
	"errors"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestHealth: a member is failed where its names can't be answered, degraded where something
// else is wrong, and what is never used is no trouble.
func TestHealth(t *testing.T) {
	upstreams := func(states ...status.UpstreamState) *status.DNS {
		dns := &status.DNS{}
		for n, s := range states {
			dns.Upstreams = append(dns.Upstreams, status.Upstream{Address: string(rune('a' + n)), State: s, Error: "late"})
		}
		return dns
	}
	up, down, half := upstreams(status.Up), upstreams(status.Down), upstreams(status.Up, status.Ejected)
	data := func(state status.DataState, err string) *status.Data { return &status.Data{State: state, Error: err} }
	fresh, stale, unsynced := data(status.Fresh, ""), data(status.Stale, "gone"), data(status.Unsynced, "not yet")
	refused := data(status.Unsynced, "forbidden")
	refused.LastError = "forbidden"
	expiring := data(status.Fresh, "")
	expiring.Credentials = status.Credentials{Kind: "token", WarnFrom: time.Unix(0, 0), Expires: time.Unix(60, 0)}
	for _, c := range []struct {
		name   string
		member status.Member
		mode   model.Mode
		broken error
		inside bool
		health status.Health
		reason string
	}{
		{name: "DNS alone", member: status.Member{DNS: up}, health: status.OK},
		{name: "DNS down", member: status.Member{DNS: down}, health: status.Failed, reason: "DNS at a: down: late"},
		{name: "one ejected", member: status.Member{DNS: half}, health: status.Degraded, reason: "DNS at b: ejected: late"},
		{name: "no TLS credentials", member: status.Member{}, broken: errors.New("no\nca.crt"), health: status.Failed, reason: `DNS: no\nca.crt`},
		{name: "fresh", member: status.Member{DNS: up, Data: fresh}, health: status.OK},
		{name: "fresh, DNS down", member: status.Member{DNS: down, Data: fresh}, health: status.Degraded, reason: "DNS at a: down: late"},
		{name: "stale", member: status.Member{DNS: up, Data: stale}, health: status.Degraded, reason: "data stale: gone"},
		{name: "stale, DNS down", member: status.Member{DNS: down, Data: stale}, health: status.Failed, reason: "DNS at a: down: late; data stale: gone"},
		{name: "not synced", member: status.Member{DNS: up, Data: unsynced}, health: status.Degraded, reason: "data unsynced: not yet"},
		{name: "token expires", member: status.Member{DNS: up, Data: expiring}, health: status.Degraded, reason: "credentials: the token expires 1970-01-01T00:01:00Z"},
		{name: "resolve: DNS isn't asked", member: status.Member{DNS: down, Data: fresh}, mode: model.ModeResolve, health: status.OK},
		{name: "resolve: not synced", member: status.Member{DNS: up, Data: unsynced}, mode: model.ModeResolve, health: status.Unknown, reason: "data unsynced: not yet"},
		{name: "resolve: forbidden", member: status.Member{DNS: up, Data: refused}, mode: model.ModeResolve, health: status.Failed, reason: "data unsynced: forbidden"},
		{name: "resolve: no kubeconfig", member: status.Member{DNS: up}, mode: model.ModeResolve, health: status.Failed, reason: ErrNoKubeconfig.Error()},
		{name: "forward: data aren't used", member: status.Member{DNS: up, Data: stale}, mode: model.ModeForward, health: status.OK},
		{name: "local", member: status.Member{}, inside: true, health: status.OK},
		{
			name: "gateway dead", member: status.Member{DNS: up, Gateway: &status.Gateway{Error: "refused"}},
			health: status.Degraded, reason: "gateway: refused",
		},
	} {
		health, reason := healthOf(&c.member, c.broken, c.mode, c.inside)
		if health != c.health || reason != c.reason {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, health, reason, c.health, c.reason)
		}
	}
}
