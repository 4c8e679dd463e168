package members

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// maxReason bounds a member's reason, in bytes.
const maxReason = 256

// Status returns the state of the Member m of the set; inside is whether its names are looked
// up inside this server. It takes no lock of a query's.
func (s *Set) Status(m *Member, mode model.Mode, inside bool) status.Member {
	to := status.Member{
		Name: m.Name, Local: m == s.Local, Network: m.Network, Region: m.Region, Zone: m.Zone, ClusterDomain: m.ClusterDomain,
		ServiceCIDRs: texts(m.ServiceCIDRs), PodCIDRs: texts(m.PodCIDRs), Gateways: texts(m.Gateways),
	}
	for _, reach := range s.reach(m) {
		to.Reach = append(to.Reach, reach.String())
	}
	if m.Client != nil && !inside {
		dns := m.Client.Status()
		to.DNS = &dns
	}
	if m.Data != nil {
		data := m.Data.Status()
		to.Data = &data
	}
	if m.Gateway != nil {
		gateway := m.Gateway.Status()
		to.Gateway = &gateway
	}
	if m.Answers != nil {
		to.Cache = m.Answers.Status()
	}
	to.Health, to.Reason = healthOf(&to, m.Broken, mode, inside)
	return to
}

func texts[T netip.Prefix | netip.Addr](of []T) []string {
	var all []string
	for _, v := range of {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// sources are where a member's names can be answered from.
type sources struct {
	inside, dns, data bool
}

// healthOf sums up a member's states: whether its names are answered, and what is wrong. inside
// is whether this server looks them up in itself.
func healthOf(m *status.Member, broken error, mode model.Mode, inside bool) (status.Health, string) {
	uses := sources{inside: inside, dns: mode != model.ModeResolve && !inside, data: mode != model.ModeForward && m.Data != nil}
	wrong := uses.troubles(m, broken)
	reason := quoted.Ends(strings.Join(wrong, "; "), maxReason)
	switch answered := uses.answer(m, broken); {
	case answered && len(wrong) == 0:
		return status.OK, ""
	case answered:
		return status.Degraded, reason
	case uses.data && m.Data.State == status.Unsynced && m.Data.LastError == "":
		return status.Unknown, reason
	}
	return status.Failed, reason
}

// answer reports whether the member's names can be answered now.
func (s sources) answer(m *status.Member, broken error) bool {
	return s.inside || s.dns && broken == nil && isAsked(m.DNS) || s.data && m.Data.State == status.Fresh
}

// troubles is what is wrong with what is used.
func (s sources) troubles(m *status.Member, broken error) (wrong []string) {
	if s.dns {
		wrong = append(wrong, dnsTrouble(m.DNS, broken)...)
	}
	if s.data {
		wrong = append(wrong, dataTrouble(m.Data)...)
	}
	if g := m.Gateway; g != nil && !g.Alive {
		wrong = append(wrong, "gateway: "+g.Error)
	}
	if s == (sources{}) {
		wrong = append(wrong, ErrNoKubeconfig.Error())
	}
	return wrong
}

// isAsked reports whether an upstream is up.
func isAsked(dns *status.DNS) bool {
	if dns == nil {
		return false
	}
	for i := range dns.Upstreams {
		if dns.Upstreams[i].State != status.Down {
			return true
		}
	}
	return false
}

func dnsTrouble(dns *status.DNS, broken error) (wrong []string) {
	if broken != nil {
		wrong = append(wrong, "DNS: "+quoted.Line(broken.Error(), maxReason))
	}
	if dns == nil {
		return wrong
	}
	for i := range dns.Upstreams {
		if u := &dns.Upstreams[i]; u.State != status.Up {
			wrong = append(wrong, fmt.Sprintf("DNS at %s: %s: %s", u.Address, u.State, u.Error))
		}
	}
	return wrong
}

func dataTrouble(data *status.Data) (wrong []string) {
	if data.State != status.Fresh {
		wrong = append(wrong, fmt.Sprintf("data %s: %s", data.State, data.Error))
	}
	switch c := &data.Credentials; {
	case c.Error != "":
		wrong = append(wrong, "credentials: "+c.Error)
	case !c.WarnFrom.IsZero() && time.Now().After(c.WarnFrom):
		wrong = append(wrong, fmt.Sprintf("credentials: the %s expires %s", c.Kind, c.Expires.UTC().Format(time.RFC3339)))
	}
	return wrong
}

// Policies returns those in force.
func (s *Set) Policies() []model.Policy { return s.set.Policies }

// Overlapping returns the pairs of members whose CIDRs overlap.
func (s *Set) Overlapping() []model.Overlap { return model.Overlaps(s.set.Clusters) }
