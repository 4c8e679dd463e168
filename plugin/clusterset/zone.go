package clusterset

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Names that are the zones' own: the apexes, their name servers, and what stands above
// other names whatever there is. This server is the authority for them, so nobody is
// asked, and the state that a member is in makes no difference.

// zoneOwn answers those of the cluster zone.
func (q *ask) zoneOwn() (done bool, status int, err error) {
	switch q.n.Kind {
	case query.ZoneApex:
		status, err = q.apex()
	case query.ZoneNameServer:
		status, err = q.nameServer()
	case query.ZoneBranch:
		status, err = q.branch()
	case query.UnknownCluster:
		status, err = q.nameError()
	default:
		return false, 0, nil
	}
	return true, status, err
}

// memberOwn answers those of a member's zone. Its apex is the next plugin's where that
// serves the zone as it is.
func (q *ask) memberOwn() (done bool, status int, err error) {
	if q.member.api != nil {
		if view := q.member.api.View(); view.State != member.Unsynced {
			q.serial = uint32(view.Data.Changed.Unix())
		}
	}
	switch q.n.Kind {
	case query.None:
		status, err = q.nameError()
	case query.ClusterApex:
		if q.isNexts(q.asked()) {
			return false, 0, nil
		}
		if q.state.QType() == dns.TypeDS { // the parent's: RFC 4035, section 3.1.4.1
			q.suffix, q.serial = q.suffix[len(q.suffix)-len(q.zone):], soaSerial
		}
		status, err = q.apex()
	case query.NameServer:
		status, err = q.nameServer()
	case query.Version:
		status, err = q.version()
	case query.ClusterBranch:
		status, err = q.branch()
	default:
		return false, 0, nil
	}
	return true, status, err
}

// reverseOwn answers those of a reverse zone. With a plugin behind this one, only what
// stands above members' addresses is among them: were it denied, so would these be.
func (q *ask) reverseOwn() (done bool, status int, err error) {
	before := q.qname[:len(q.qname)-len(q.zone)]
	below, above := query.AddressesBelow(q.qname)
	switch {
	case before == "":
		status, err = q.apex()
	case strings.EqualFold(before, "ns.dns."):
		status, err = q.nameServer()
	case strings.EqualFold(before, "dns."), above && (q.p.Next == nil || q.snap.isAbove(below)):
		status, err = q.branch()
	default:
		return false, 0, nil
	}
	return true, status, err
}

// branch replies for a name that exists only for what is below it: RFC 8020.
func (q *ask) branch() (int, error) {
	return q.noData(q.ours(), fromZone, noExplanation, "")
}

// apex replies for the zone itself.
func (q *ask) apex() (int, error) {
	m := q.ours()
	switch q.state.QType() {
	case dns.TypeSOA:
		m.Answer = []dns.RR{q.soa()}
	case dns.TypeNS:
		m.Answer = []dns.RR{&dns.NS{Hdr: q.header(q.suffix, dns.TypeNS), Ns: "ns.dns." + q.suffix}}
		m.Extra = q.ownAddresses("ns.dns."+q.suffix, dns.TypeANY)
	default:
		return q.noData(m, fromZone, noExplanation, "")
	}
	return q.write(m, fromZone)
}

// nameServer replies for the name that the NS record gives.
func (q *ask) nameServer() (int, error) {
	m := q.ours()
	m.Answer = q.ownAddresses(q.qname, q.state.QType())
	if len(m.Answer) == 0 {
		return q.noData(m, fromZone, noExplanation, "")
	}
	return q.write(m, fromZone)
}

// ownAddresses makes records of this server's addresses of the type.
func (q *ask) ownAddresses(owner string, qtype uint16) []dns.RR {
	var rrs []dns.RR
	for _, addr := range q.p.own.addresses() {
		rr := addressRecord(owner, q.p.options.negativeTTL, addr)
		if qtype == dns.TypeANY || qtype == rr.Header().Rrtype {
			rrs = append(rrs, rr)
		}
	}
	return rrs
}

func (q *ask) version() (int, error) {
	m := q.ours()
	if q.state.QType() != dns.TypeTXT {
		return q.noData(m, fromZone, noExplanation, "")
	}
	header := q.header(q.qname, dns.TypeTXT)
	header.Ttl = versionTTL
	m.Answer = []dns.RR{&dns.TXT{Hdr: header, Txt: []string{schemaVersion}}}
	return q.write(m, fromZone)
}

// exists replies for a name of which the member was asked whether it is there, and it
// is: "_tcp.web.default.c1.lan." as the Service is.
func (q *ask) exists(reply *dns.Msg, asked string, from sourceName) (int, error) {
	m := q.ours()
	m.Authoritative, m.RecursionAvailable = reply.Authoritative, reply.RecursionAvailable
	if !isAnswer(reply.Rcode) { // a plugin's of this server
		m.Rcode = reply.Rcode
		return q.write(m, from)
	}
	m.Ns = []dns.RR{q.soaOf(reply.Ns, new(q.renaming(asked)))}
	return q.write(m, from)
}
