//go:build e2e

package oracle

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// exception is a difference that is wanted. adjust makes of kubernetes' reply
// the one that ours is to be, or leaves it alone.
type exception struct {
	name, why string
	modes     []string // where it is needed
	adjust    func(*deviation)
}

var (
	everyMode, data = variants, []string{"resolve", "auto"}
	set             = []string{imports}
	everywhere      = slices.Concat(variants, set)
)

// exceptions in the order in which they are tried, each on what the ones before
// it have left.
var exceptions = []exception{
	{"serial", "the SOA's serial is the time of the last change, as each server has seen it", everywhere, serial},
	{"truncation", "how much fits depends on the zone's length, and its order is random", everywhere, truncation},
	{"target's rcode", "RFC 6604, section 3: the rcode is that of the CNAME's last target; kubernetes says NOERROR, " +
		"and leaves the CNAME out where the target is its own", everyMode, targetsCode},
	{"name server", "kubernetes gives its interfaces' addresses, loopback left out; ours are those it is bound to", everywhere, nameServer},
	{"name server exists", "RFC 4343: kubernetes knows ns.dns.cluster.local. only where the zone is in lower case; " +
		"RFC 8020: and its TXT isn't of another name", everywhere, nameServerExists},
	{"name server's parent", "RFC 8020: dns.c1.lan. exists, since ns.dns.c1.lan. does", everywhere, nameServersParent},
	{"dns-version exists", "RFC 8020: a name that has a TXT record exists for all types", everywhere, versionExists},
	{"reverse branches exist", "RFC 8020: NXDOMAIN of 51.10.in-addr.arpa. would deny all names below it", everyMode, reverseBranch},
	{"longer than an address", "RFC 3596, section 2.5: kubernetes takes the last 32 labels for the address", everyMode, longReverse},
	{"reverse name of another type", "RFC 2308, section 2.2: a name that has a PTR record exists for all types", everyMode, reverseType},
	{"TXT above names", "RFC 8020: kubernetes denies svc.cluster.local. for TXT alone", everywhere, branchTXT},
	{"above SRV names", "RFC 8020: _tcp.web exists where web does, since _http._tcp.web may", everywhere, aboveSRV},
	{"slice of no Service", "kubernetes makes a name with an empty label of it, which no message can hold, and is silent", everyMode, sliceOfNothing},
	{"not the member's address", "the document's CIDRs tell whose an address is; others aren't answered for", everyMode, notTheMembers},
	{"names as endpoints", "EndpointSlices of FQDNs have no defined meaning, and are deprecated; only kubernetes makes CNAMEs of them, in random order", data, namesAsEndpoints},
	{"SOA of nothing", "RFC 2308, section 2.1: kubernetes doesn't look whether the name exists", everywhere, soaOfNothing},
	{"slice of no Service, other types", "the member is asked for PTR, to which kubernetes is silent", []string{"forward"}, otherTypeOfNothing},

	{"version over the set", "KEP-1645, specification.md: TXT is 1.0.0; kubernetes gives that of a cluster's names", set, setVersion},
	{"pods over the set", "KEP-1645 has no pod.clusterset.local.; kubernetes has it for clusters' names, and nothing below", set, podBranch},
	{"namespace over the set", "RFC 8020: members may have names below it that this server asks for by DNS; kubernetes denies " +
		"what isn't a namespace of its own cluster", set, namespaceBranch},
	{"import without ports", "KEP-1645: the record of a cluster set IP doesn't depend on ports; kubernetes has one for each port", set, noPorts},
	{"endpoint of a cluster set IP", "KEP-1645: HOST.CLUSTER is of headless services alone", set, endpointOfSetIP},
	{"cluster of two labels", "KEP-2149: a cluster's id may have two labels; kubernetes takes one", set, clusterOfTwoLabels},
}

func exceptionsOf(mode string) []exception {
	return slices.DeleteFunc(slices.Clone(exceptions), func(e exception) bool { return !slices.Contains(e.modes, mode) })
}

func serial(d *deviation) {
	want, got := soas(d.want), soas(d.got)
	if len(want) == len(got) {
		for i := range want {
			want[i].Serial = got[i].Serial
		}
	}
}

func soas(m *dns.Msg) []*dns.SOA {
	var list []*dns.SOA
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		if soa, ok := rr.(*dns.SOA); ok {
			list = append(list, soa)
		}
	}
	return list
}

// truncation: what ours has must be in their whole reply, or be all of it.
func truncation(d *deviation) {
	if !d.want.Truncated || len(d.got.Answer) == 0 {
		return
	}
	whole, err := exchange(tcp, d.theirs.addr, d.theirName(), d.qtype)
	if err != nil {
		return
	}
	whole = d.renamed(whole)
	if !d.got.Truncated {
		d.want.Truncated, d.want.Answer = false, whole.Answer
		d.want.Extra = append(edns(d.want.Extra), withoutEDNS(whole.Extra)...)
		return
	}
	if within(d.got.Answer, whole.Answer) && within(withoutEDNS(d.got.Extra), whole.Extra) {
		d.want.Answer = d.got.Answer
		d.want.Extra = append(edns(d.want.Extra), withoutEDNS(d.got.Extra)...)
	}
}

// targetsCode takes the place of a reply whose CNAME leads to no address.
func targetsCode(d *deviation) {
	if d.qtype != dns.TypeA && d.qtype != dns.TypeAAAA || d.want.Rcode != dns.RcodeSuccess || slices.ContainsFunc(d.want.Answer, isAddress) {
		return
	}
	first, err := exchange(plain, d.theirs.addr, d.theirName(), dns.TypeCNAME)
	if err != nil || len(first.Answer) != 1 {
		return
	}
	first = d.renamed(first)
	cname, ok := first.Answer[0].(*dns.CNAME)
	if !ok {
		return
	}
	target, err := exchange(d.way, d.ours.addr, cname.Target, d.qtype)
	if err != nil || target.Rcode == dns.RcodeRefused {
		return
	}
	d.want.Rcode = target.Rcode
	d.want.Answer = []dns.RR{cname}
	for _, rr := range target.Answer { // which leads back, of two that point at each other
		if !dns.IsDuplicate(rr, cname) {
			d.want.Answer = append(d.want.Answer, rr)
		}
	}
	d.want.Ns = target.Ns
}

// nameServer is for the zones' apexes and "ns.dns.c1.lan.".
func nameServer(d *deviation) {
	zone, server := d.name(theirZones[d.zone]), d.ours
	apex := d.is("")
	if d.zone == none {
		zone, apex = d.prefix, strings.EqualFold(d.prefix, reverseZone(d.prefix))
	}
	name := "ns.dns." + zone
	switch {
	case apex && d.qtype == dns.TypeNS:
		d.want.Answer = []dns.RR{&dns.NS{Hdr: header(zone, dns.TypeNS), Ns: name}}
		d.want.Ns, d.want.Extra = nil, append(d.want.Extra, addressRecord(name, server))
	case (d.is("ns.dns.") || d.zone == none && strings.EqualFold(d.prefix, "ns.dns."+reverseZone(d.prefix))) && (d.qtype == dns.TypeA || d.qtype == dns.TypeANY):
		d.want.Rcode, d.want.Answer, d.want.Ns = dns.RcodeSuccess, []dns.RR{addressRecord(d.ourName(), server)}, nil
	}
}

func nameServerExists(d *deviation) {
	if strings.HasPrefix(strings.ToLower(d.ourName()), "ns.dns.") && (d.is("ns.dns.") || d.zone == none) {
		d.want.Rcode = dns.RcodeSuccess
	}
}

func nameServersParent(d *deviation) {
	if d.is("dns.") {
		d.want.Rcode = dns.RcodeSuccess
	}
}

func versionExists(d *deviation) {
	if d.is("dns-version.") && d.qtype != dns.TypeTXT {
		d.want.Rcode = dns.RcodeSuccess
	}
}

func reverseBranch(d *deviation) {
	if d.zone == none && d.want.Rcode == dns.RcodeNameError && isReverseBranch(d.prefix) {
		d.want.Rcode = dns.RcodeSuccess
	}
}

func longReverse(d *deviation) {
	if d.zone == none && dns.CountLabel(d.prefix) > 34 && len(d.want.Answer) > 0 {
		d.deny()
	}
}

// sliceOfNothing: the address may be of endpoints of a Service too, whose names are
// the answer then. Where the member says nothing, forwarding fails.
func sliceOfNothing(d *deviation) {
	if !isSilence(d.want) || isSilence(d.got) || d.zone != none || d.qtype != dns.TypePTR {
		return
	}
	d.want = d.got.Copy()
	d.want.Ns = nil
	switch names := d.endpoints(); {
	case d.mode == "forward":
		d.want.Rcode, d.want.Answer = dns.RcodeServerFailure, nil
	case len(names) == 0:
		d.deny()
	default:
		d.want.Rcode, d.want.Answer = dns.RcodeSuccess, pointers(d.ourName(), names)
	}
}

// otherTypeOfNothing: for other types kubernetes isn't silent.
func otherTypeOfNothing(d *deviation) {
	if d.zone != none || d.qtype == dns.TypePTR || d.got.Rcode != dns.RcodeServerFailure {
		return
	}
	if _, err := exchange(plain, d.theirs.addr, d.theirName(), dns.TypePTR); err != nil {
		d.want = d.got.Copy()
		d.want.Rcode, d.want.Answer, d.want.Ns = dns.RcodeServerFailure, nil, nil
	}
}

// reverseType looks whether the name has a PTR record. Of an endpoint the data tell:
// kubernetes is silent where a slice of no Service has the address too.
func reverseType(d *deviation) {
	if d.zone != none || d.want.Rcode != dns.RcodeNameError {
		return
	}
	if len(d.endpoints()) > 0 || d.has(dns.TypePTR, func(m *dns.Msg) bool { return len(m.Answer) > 0 }) {
		d.want.Rcode = dns.RcodeSuccess
	}
}

// branchTXT looks whether the name exists for another type.
func branchTXT(d *deviation) {
	if d.zone != none && d.qtype == dns.TypeTXT && d.want.Rcode == dns.RcodeNameError && d.has(dns.TypeA, isNoData) {
		d.want.Rcode = dns.RcodeSuccess
	}
}

// aboveSRV looks whether the Service exists.
func aboveSRV(d *deviation) {
	protocol, service, _ := strings.Cut(d.prefix, ".")
	switch strings.ToLower(protocol) {
	case "_tcp", "_udp", "_sctp":
	default:
		return
	}
	if d.zone == none || d.want.Rcode != dns.RcodeNameError || strings.Count(service, ".") != strings.Count("web.alpha.svc.", ".") {
		return
	}
	m, err := exchange(plain, d.theirs.addr, service+theirZones[d.zone], dns.TypeA)
	if err == nil && m.Rcode != dns.RcodeNameError {
		d.want.Rcode = dns.RcodeSuccess
	}
}

func notTheMembers(d *deviation) {
	if d.zone != none {
		return
	}
	addr, ok := addressIn(d.prefix)
	if !ok || isMembers(addr) {
		return
	}
	d.deny()
}

// namesAsEndpoints: a service without an address doesn't exist.
func namesAsEndpoints(d *deviation) {
	if d.zone == none || d.want.Rcode != dns.RcodeSuccess || !strings.HasSuffix("."+strings.ToLower(d.prefix), "."+named+".alpha."+svc) {
		return
	}
	missing, err := exchange(plain, d.theirs.addr, "a.b.c.d."+d.theirName(), dns.TypeA)
	if err != nil || missing.Rcode != dns.RcodeNameError {
		return
	}
	d.want.Rcode, d.want.Answer, d.want.Ns = dns.RcodeNameError, nil, d.renamed(missing).Ns
	serial(d)
}

// soaOfNothing looks whether the name exists for another type.
func soaOfNothing(d *deviation) {
	if d.qtype == dns.TypeSOA && d.want.Rcode == dns.RcodeSuccess && len(d.want.Answer) == 0 && d.has(dns.TypeA, isNameError) {
		d.want.Rcode = dns.RcodeNameError
	}
}

// has asks kubernetes for the same name of another type.
func (d *deviation) has(qtype uint16, what func(*dns.Msg) bool) bool {
	m, err := exchange(plain, d.theirs.addr, d.theirName(), qtype)
	return err == nil && what(m)
}

// deny makes of what is wanted an NXDOMAIN of its reverse zone.
func (d *deviation) deny() {
	d.denyIn(reverseZone(d.prefix))
}

// denyIn makes of what is wanted an NXDOMAIN of that zone.
func (d *deviation) denyIn(zone string) {
	d.want.Rcode, d.want.Answer, d.want.Ns = dns.RcodeNameError, nil, nil
	soa, err := exchange(plain, d.theirs.addr, zone, dns.TypeSOA)
	if err != nil {
		return
	}
	d.want.Ns = soa.Answer
	serial(d)
}
