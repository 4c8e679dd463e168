package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Member is a member as all replicas see it together.
type Member struct {
	Name    string `json:"name"`
	Local   bool   `json:"local,omitempty"`
	Network string `json:"network,omitempty"`
	Region  string `json:"region,omitempty"`
	Zone    string `json:"zone,omitempty"`
	// Health is the worst that a replica sees.
	Health status.Health `json:"health"`
	// DNS is "up", "down", "1/2 up", "idle" for one that wasn't asked yet, or "here": looked up
	// inside the server. It is the one of
	// the replica that sees most trouble, and so is Data: "fresh", "stale", "unsynced", "" for
	// a member without kubeconfig.
	DNS  string `json:"dns"`
	Data string `json:"data,omitempty"`
	// Seconds is the median round trip to its fastest upstream, the longest over replicas; 0
	// is not known.
	Seconds float64 `json:"roundTripSeconds,omitempty"`
	// Age is how long the data are in that state; of stale ones, how old they are.
	Age time.Duration `json:"-"`
	// Services and EndpointSlices are how many its data have.
	Services       int `json:"services"`
	EndpointSlices int `json:"endpointSlices"`
	// Healthy is how many replicas see it in good health, Replicas how many there are to be.
	Healthy  int `json:"healthy"`
	Replicas int `json:"replicas"`

	CIDRs     []string `json:"serviceCIDRs,omitempty"`
	Upstreams []string `json:"upstreams,omitempty"`
}

// addMembers adds the members that any replica has in force.
func (r *Report) addMembers(set *Set) {
	replicasOf := 0
	seen := map[string]*view{}
	r.stanzas(set.Source, func(replica *Replica, s *status.Stanza) {
		replicasOf++
		for n := range s.Members {
			m := &s.Members[n]
			if seen[m.Name] == nil {
				seen[m.Name] = &view{Member: Member{Name: quoted.Line(m.Name, maxText), Health: status.OK, Replicas: r.Wanted}}
			}
			seen[m.Name].add(replica, m)
		}
	})
	for _, v := range seen {
		set.Members = append(set.Members, v.Member)
	}
	slices.SortFunc(set.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	for _, m := range set.Members {
		r.findMember(seen[m.Name], replicasOf)
	}
}

// view is a member, and who sees it in which trouble.
type view struct {
	Member
	worst   int // of what DNS and Data show
	by      int // how many replicas see it
	reasons []reason
}

// reason is why replicas see a member in a state other than good.
type reason struct {
	health   status.Health
	text     string
	replicas []string
}

// add takes what a replica sees.
func (v *view) add(replica *Replica, m *status.Member) {
	v.by++
	trouble := slices.Index(badness, m.Health)
	v.Health = worse(v.Health, m.Health)
	if m.Health == status.OK {
		v.Healthy++
	} else {
		v.addReason(replica, m)
	}
	dns, seconds, upstreams := dnsState(m.DNS)
	v.Seconds = max(v.Seconds, seconds)
	if v.by > 1 && trouble <= v.worst {
		return
	}
	v.worst, v.DNS, v.Upstreams = trouble, dns, upstreams
	v.Local, v.Network, v.Region, v.Zone, v.CIDRs = m.Local, orDefault(m.Network), m.Region, m.Zone, m.ServiceCIDRs
	if m.Data != nil {
		v.Data, v.Services, v.EndpointSlices = string(m.Data.State), m.Data.Services, m.Data.EndpointSlices
		v.Age = max(0, replica.Status.Time.Sub(m.Data.Since))
	}
}

func (v *view) addReason(replica *Replica, m *status.Member) {
	text := m.Reason
	if text == "" {
		text = string(m.Health)
	}
	at := slices.IndexFunc(v.reasons, func(r reason) bool { return r.text == text && r.health == m.Health })
	if at < 0 {
		at, v.reasons = len(v.reasons), append(v.reasons, reason{health: m.Health, text: text})
	}
	v.reasons[at].replicas = append(v.reasons[at].replicas, replica.Name)
}

// findMember finds what is wrong with a member; what not all replicas see says which do.
func (r *Report) findMember(v *view, all int) {
	about := "member " + v.Name
	for _, reason := range v.reasons {
		if len(reason.replicas) == all {
			r.find(reason.health, about, "%s", reason.text)
		} else {
			r.find(reason.health, about, "%s (seen by %s)", reason.text, strings.Join(reason.replicas, ", "))
		}
	}
	if v.by < all {
		r.find(status.Degraded, about, "is known to %d of %d replicas", v.by, all)
	}
}

// dnsState sums up the upstreams.
func dnsState(d *status.DNS) (state string, seconds float64, upstreams []string) {
	if d == nil {
		return "here", 0, nil
	}
	up := 0
	for _, u := range d.Upstreams {
		upstreams = append(upstreams, quoted.Line(u.Address, maxText)+" "+string(u.State))
		if u.State == status.Up {
			up++
		}
		if u.MedianSeconds > 0 && (seconds == 0 || u.MedianSeconds < seconds) {
			seconds = u.MedianSeconds
		}
	}
	switch up {
	case 0:
		return "down", seconds, upstreams
	case len(d.Upstreams):
		if seconds == 0 { // up is what a server believes of one that it hasn't asked
			return "idle", 0, upstreams
		}
		return "up", seconds, upstreams
	default:
		return fmt.Sprintf("%d/%d up", up, len(d.Upstreams)), seconds, upstreams
	}
}

func orDefault(network string) string {
	if network == "" {
		return "default"
	}
	return quoted.Line(network, maxText)
}
