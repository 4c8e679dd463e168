package check

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// look is what the checks have learned so far: each reads what those that it needs have set.
type look struct {
	c     *cli.Context
	where install.Where
	// before is set before an install (--pre): what isn't there yet may be right.
	before bool

	cluster *objects.Cluster                  // CS101
	all     []*install.Install                // CS201
	in      *install.Install                  // CS201, and from CS203 on the one with clusterset
	block   *install.Block                    // CS203
	stanza  *install.Stanza                   // CS203
	asked   []replicas.Answer[status.Process] // CS206
	set     *objects.ClusterSet               // CS301
	parsed  *document.Parsed                  // CS302
	secrets map[string]*v1.Secret             // CS401, by NAMESPACE/NAME
	configs map[string]*rest.Config           // CS404, by member
	reached map[string]*kubernetes.Clientset  // CS407, by member
}

// local is where the objects of join are here.
func (l *look) local() objects.Local {
	return objects.Local{Namespace: l.stanza.Namespace, ConfigMap: l.stanza.ConfigMap, UID: l.cluster.UID,
		AccountNamespace: l.in.Namespace, Account: l.in.ServiceAccount}
}

// members are those of all documents, by name.
func (l *look) members() (all []*document.Cluster) {
	for _, d := range l.parsed.Documents {
		all = append(all, d.Clusters...)
	}
	slices.SortFunc(all, func(a, b *document.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// viewed is how one replica sees one member.
type viewed struct {
	replica string
	member  *status.Member
}

// views returns how the replicas see each member.
func (l *look) views() map[string][]viewed {
	all := make(map[string][]viewed)
	for _, answer := range l.asked {
		s := l.stanzaOf(answer.Value)
		if s == nil {
			continue
		}
		for i := range s.Members {
			name := s.Members[i].Name
			all[name] = append(all[name], viewed{answer.Replica.Name, &s.Members[i]})
		}
	}
	return all
}

// stanzaOf returns the stanza of a replica that has the ClusterSet that is checked.
func (l *look) stanzaOf(p *status.Process) *status.Stanza {
	if p == nil {
		return nil
	}
	for i := range p.Stanzas {
		if strings.HasSuffix(p.Stanzas[i].Document.Source, " "+l.stanza.Namespace+"/"+l.stanza.ConfigMap) {
			return &p.Stanzas[i]
		}
	}
	return nil
}

// of makes a finding for each member for which find returns a reason.
func (l *look) of(find func(*document.Cluster) (reason, leads, mend string)) (all []finding) {
	for _, m := range l.members() {
		if reason, leads, mend := find(m); reason != "" {
			all = append(all, finding{failure, m.Name, reason, leads, mend})
		}
	}
	return all
}

// zones are ours that aren't reverse ones: what is asked for.
func (l *look) zones() (zones []string) {
	all := l.stanza.Zones
	if len(all) == 0 {
		all = l.stanza.Keys
	}
	for _, key := range all {
		if zone := zoneOf(key); !strings.HasSuffix(zone, ".arpa") && zone != "arpa" && zone != "" {
			zones = append(zones, zone)
		}
	}
	return zones
}

// zoneOf is the zone of a server block's key: "lan" of "dns://lan.:53", "" of ".".
func zoneOf(key string) string {
	if _, rest, found := strings.Cut(key, "://"); found {
		key = rest
	}
	if at := strings.LastIndex(key, ":"); at >= 0 {
		key = key[:at]
	}
	return strings.ToLower(strings.TrimSuffix(key, "."))
}

func kubectl(format string, args ...any) string { return fmt.Sprintf("kubectl "+format, args...) }
