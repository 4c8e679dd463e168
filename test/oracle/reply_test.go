//go:build e2e

package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// silence stands for a reply that never came: no message has its code.
func silence() *dns.Msg { return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: -1}} }

func isSilence(m *dns.Msg) bool { return m.Rcode < 0 }

// text is all of a reply that is compared. The order inside a section isn't: in
// kubernetes it is that of a map.
func text(m *dns.Msg) string {
	if isSilence(m) {
		return "no reply"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s qr=%t aa=%t tc=%t rd=%t ra=%t z=%t ad=%t cd=%t opcode=%d\n", dns.RcodeToString[m.Rcode],
		m.Response, m.Authoritative, m.Truncated, m.RecursionDesired, m.RecursionAvailable, m.Zero, m.AuthenticatedData, m.CheckingDisabled, m.Opcode)
	for _, q := range m.Question {
		fmt.Fprintf(&b, "question %s\n", q.String())
	}
	for _, section := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, line := range recordLines(section.rrs) {
			fmt.Fprintf(&b, "%s %s\n", section.name, line)
		}
	}
	return b.String()
}

func recordLines(rrs []dns.RR) []string {
	var list []string
	for _, rr := range rrs {
		if o, ok := rr.(*dns.OPT); ok {
			list = append(list, fmt.Sprintf("EDNS version=%d size=%d do=%t options=%v", o.Version(), o.UDPSize(), o.Do(), o.Option))
			continue
		}
		list = append(list, rr.String())
	}
	slices.Sort(list)
	return list
}

// renamed is what ours should be, for their reply.
func (q question) renamed(theirs *dns.Msg) *dns.Msg {
	m := theirs.Copy()
	for i := range m.Question {
		m.Question[i].Name = q.owner(m.Question[i].Name)
	}
	for _, rr := range m.Answer {
		rr.Header().Name = q.owner(rr.Header().Name)
		q.data(rr)
	}
	for _, rr := range slices.Concat(m.Ns, m.Extra) {
		rr.Header().Name = q.name(rr.Header().Name)
		q.data(rr)
	}
	return m
}

// owner renames the name of an answer: that of the question becomes ours, in its
// form.
func (q question) owner(name string) string {
	if name == q.theirName() {
		return q.ourName()
	}
	return q.name(name)
}

// name renames a name to its zone in the question's case, or, where it has it in
// lower case, to that.
func (q question) name(name string) string {
	for _, zone := range []zoneCase{q.zone, lowerCase} {
		if rest, ok := strings.CutSuffix(name, theirZones[zone]); ok && zone != none && (rest == "" || strings.HasSuffix(rest, ".")) {
			return rest + ourZones[zone]
		}
	}
	return name
}

// data renames the names in what a record holds.
func (q question) data(rr dns.RR) {
	switch rr := rr.(type) {
	case *dns.SOA:
		rr.Ns, rr.Mbox = q.name(rr.Ns), q.name(rr.Mbox)
	case *dns.NS:
		rr.Ns = q.name(rr.Ns)
	case *dns.CNAME:
		rr.Target = q.name(rr.Target)
	case *dns.SRV:
		rr.Target = q.name(rr.Target)
	case *dns.PTR:
		rr.Ptr = q.name(rr.Ptr)
	case *dns.MX:
		rr.Mx = q.name(rr.Mx)
	}
}
