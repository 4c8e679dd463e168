package check

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// seen makes a finding for each member of which a replica sees something wrong.
func (l *look) seen(find func(*status.Member) (reason, leads, mend string)) []finding {
	views := l.views()
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		var by []string
		for _, v := range views[m.Name] {
			if text, l, c := find(v.member); text != "" {
				reason, leads, mend = text, l, c
				by = append(by, v.replica)
			}
		}
		if len(by) > 0 && len(by) < len(views[m.Name]) {
			reason = "seen by " + strings.Join(by, ", ") + ": " + reason
		}
		return reason, leads, mend
	})
}

// dnsAnswers has each replica ask each member's DNS for a name that no data have: a member with
// fresh data isn't asked otherwise, and nobody knows whether it would answer.
func (l *look) dnsAnswers(ctx context.Context) []finding {
	zone := l.clusterZone()
	if zone == "" || slices.Equal(l.stanza.Options["mode"], []string{"resolve"}) { // it never asks
		return nil
	}
	silent := make(map[string]map[string]string) // reasons, by member and replica
	for _, answer := range replicas.All(ctx, l.answering(), func(ctx context.Context, r *replicas.Replica) (*map[string]string, error) {
		return l.askedBy(ctx, r, zone), nil
	}) {
		for member, reason := range *answer.Value {
			if silent[member] == nil {
				silent[member] = make(map[string]string)
			}
			silent[member][answer.Replica.Name] = reason
		}
	}
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		by := slices.Sorted(maps.Keys(silent[m.Name]))
		if len(by) == 0 {
			return "", "", ""
		}
		reason = silent[m.Name][by[0]]
		if len(by) < len(l.answering()) {
			reason = "seen by " + strings.Join(by, ", ") + ": " + reason
		}
		address := ""
		if all := dnsOf(m); len(all) > 0 {
			address = all[0]
		}
		return reason, "what isn't in its data fails",
			kubectl("run -it --rm --restart=Never dns --image=IMAGE_WITH_DIG -- dig @%s kubernetes.default.svc.%s", address, cmp.Or(m.ClusterDomain, "cluster.local"))
	})
}

// answering are the replicas that told their status.
func (l *look) answering() (all []*replicas.Replica) {
	for _, answer := range l.asked {
		if l.stanzaOf(answer.Value) != nil {
			all = append(all, answer.Replica)
		}
	}
	return all
}

// askedBy has one replica ask, and returns why each member didn't answer.
func (l *look) askedBy(ctx context.Context, r *replicas.Replica, zone string) *map[string]string {
	silent := make(map[string]string)
	for _, v := range l.views() {
		for _, one := range v {
			if one.replica != r.Name || one.member.Local || one.member.DNS == nil {
				continue
			}
			name := fmt.Sprintf("%s.default.pod.%s.%s.", anyAddress(), one.member.Name, zone)
			found, err := r.Lookup(ctx, replicas.Question{Name: name, Type: "A"})
			// A member that answers with an address that isn't its own, as DNS with `pods
			// insecure` does here, has answered.
			guarded := err == nil && found.ExtendedError != nil && found.ExtendedError.Code == filtered
			if err == nil && found.Rcode == "SERVFAIL" && !guarded {
				silent[one.member.Name] = cmp.Or(found.Error, "SERVFAIL")
			}
		}
	}
	return &silent
}

// filtered is the extended error (RFC 8914: Filtered) of records that are left out.
const filtered = 17

// anyAddress is the first label of a pod's name, which no cache has.
func anyAddress() string {
	n := rand.Uint32()
	return fmt.Sprintf("10-%d-%d-%d", n>>16&0xff, n>>8&0xff, n&0xff)
}

// clusterZone is one of the zones whose names are a member's, "" where there is none.
func (l *look) clusterZone() string {
	for _, answer := range l.asked {
		s := l.stanzaOf(answer.Value)
		if s == nil {
			continue
		}
		for _, z := range s.Zones {
			if z.Kind == status.ClusterZone {
				return strings.TrimSuffix(z.Name, ".")
			}
		}
	}
	return ""
}

func (l *look) dataFresh(context.Context) []finding {
	return l.seen(func(m *status.Member) (reason, leads, mend string) {
		if m.Data == nil || m.Data.State == status.Fresh {
			return "", "", ""
		}
		return fmt.Sprintf("%s since %s: %s", m.Data.State, m.Data.Since.UTC().Format("15:04:05"), m.Data.Error), noData, join(m.Name)
	})
}

func (l *look) gateways(context.Context) []finding {
	return l.seen(func(m *status.Member) (reason, leads, mend string) {
		if m.Gateway == nil || m.Gateway.Alive {
			return "", "", ""
		}
		return fmt.Sprintf("%s is down since %s: %s", m.Gateway.URL, m.Gateway.Since.UTC().Format("15:04:05"), m.Gateway.Error),
			"names over all clusters leave it out", "curl -v " + m.Gateway.URL
	})
}

// names asks a replica for a name that every cluster has.
func (l *look) names(ctx context.Context) []finding {
	zone, asked := l.clusterZone(), l.answering()
	if zone == "" {
		return nil
	}
	return l.of(func(m *document.Cluster) (reason, leads, mend string) {
		name := "kubernetes.default." + m.Name + "." + zone + "."
		found, err := asked[0].Lookup(ctx, replicas.Question{Name: name, Type: "A"})
		switch {
		case err != nil:
			reason = err.Error()
		case found.Next || found.Rcode == "NOERROR" || found.Rcode == "NXDOMAIN" && l.mayHide(m):
			return "", "", ""
		default:
			reason = strings.TrimSuffix(name+" is "+found.Rcode+": "+found.Error, ": ")
		}
		return reason, "its names aren't answered", "kubectl clusterset lookup " + name
	})
}

// mayHide reports whether a name that every cluster has may rightly not exist.
func (l *look) mayHide(m *document.Cluster) bool {
	return len(m.Namespaces) > 0 || slices.Equal(l.stanza.Options["exports"], []string{"marked"})
}
