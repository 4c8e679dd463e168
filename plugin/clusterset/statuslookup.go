package clusterset

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/explain"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/statuspage"
)

// Lookup implements statuspage.Source: it resolves a question as a client's, and explains it.
// It counts in no metric of clients' queries.
func (s *statusServer) Lookup(ctx context.Context, name, qtype, client string) (status.Lookup, error) {
	name, err := readName(name)
	if err != nil {
		return status.Lookup{}, err
	}
	t, err := readType(qtype)
	if err != nil {
		return status.Lookup{}, err
	}
	address := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if client != "" {
		if address, err = netip.ParseAddr(client); err != nil || address.Zone() != "" {
			return status.Lookup{}, statuspage.UsageError("client: not an IP address")
		}
	}
	p, zone, zones := s.find(name)
	if p == nil {
		return status.Lookup{}, statuspage.UsageError(fmt.Sprintf("name: in none of the zones %s", strings.Join(zones, " ")))
	}
	return p.explain(ctx, name, t, address.Unmap(), zone), nil
}

// beyondOctet finds what dns takes for another octet, after an escaped backslash too, which no
// name that is asked for needs.
var beyondOctet = regexp.MustCompile(`\\(25[6-9]|2[6-9][0-9]|[3-9][0-9]{2})`)

// readName reads a name as a client's message would have it: one text for one name, whatever
// is escaped. The cache and upstreams know no other.
func readName(text string) (string, error) {
	for _, r := range text {
		if r >= utf8.RuneSelf {
			return "", statuspage.UsageError("name: not ASCII; give such a label in its xn-- form (Punycode), other octets as \\DDD")
		}
	}
	if escape := beyondOctet.FindString(text); escape != "" {
		return "", statuspage.UsageError(fmt.Sprintf("name: %s: no octet; they end with \\255", escape))
	}
	var message [255]byte
	end, err := dns.PackDomainName(dns.Fqdn(text), message[:], 0, nil, false)
	name := "."
	if err == nil {
		name, _, err = dns.UnpackDomainName(message[:end], 0)
	}
	if err != nil || name == "." {
		return "", statuspage.UsageError("name: not a domain name; give one as web.default.cluster1.lan")
	}
	return name, nil
}

// readType reads a type as dig does; "" is A.
func readType(text string) (uint16, error) {
	text = strings.ToUpper(text)
	t, known := dns.StringToType[text]
	if number, is := strings.CutPrefix(text, "TYPE"); is && !known {
		n, err := strconv.ParseUint(number, 10, 16)
		t, known = uint16(n), err == nil
	}
	switch {
	case text == "":
		return dns.TypeA, nil
	case !known || t == dns.TypeNone || t == dns.TypeOPT || t == dns.TypeAXFR || t == dns.TypeIXFR:
		return 0, statuspage.UsageError("type: none that can be looked up; give one as A, AAAA, SRV or TYPE65")
	}
	return t, nil
}

// find returns the stanza that answers for a name, and the zone in it that holds the name; else
// all zones there are.
func (s *statusServer) find(name string) (found *Clusterset, zone *question.Zone, zones []string) {
	for _, p := range s.current() {
		if z := p.resolver.Zones.Find(name); z != nil && (zone == nil || len(z.Name) > len(zone.Name)) {
			found, zone = p, z
		}
		zones = append(zones, p.zones...)
	}
	return found, zone, zones
}

// explaining is the client of a question that is to be explained.
type explaining struct{ *client }

// ShowsAttempts implements question.Client.
func (explaining) ShowsAttempts() (attempts, messages bool) { return true, false }

// asker is who asks such a question.
type asker struct {
	nobody
	from netip.Addr
}

func (a asker) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.from, 0)) }

// explain resolves a question, and asks the next plugin where it is left to that.
func (p *Clusterset) explain(ctx context.Context, name string, qtype uint16, from netip.Addr, zone *question.Zone) status.Lookup {
	r := new(dns.Msg).SetQuestion(name, qtype)
	r.SetEdns0(dns.DefaultMsgSize, false)
	if server := p.server.Load(); server != nil {
		ctx = context.WithValue(ctx, dnsserver.Key{}, server)
	}
	q := explaining{&client{plugin: p, ctx: ctx, state: request.Request{W: asker{from: from}, Req: r}}}
	p.resolver.ReadQuestion(&q.question, r, zone, q)
	res := p.resolver.Resolve(ctx, &q.question)
	if res.NotFound && q.fallsThrough() {
		res.Action = question.AskNext
	}
	l := explain.Of(res)
	if l.Next && p.Next != nil {
		p.explainNext(ctx, q.client, &l)
	}
	return l
}

// explainNext adds what the next plugin answers.
func (p *Clusterset) explainNext(ctx context.Context, q *client, l *status.Lookup) {
	ctx, cancel := context.WithTimeout(ctx, p.options.timeout)
	defer cancel()
	w := nonwriter.New(q.state.W)
	began := time.Now()
	code, err := plugin.NextOrFailure(pluginName, p.Next, ctx, w, q.state.Req)
	if err != nil {
		l.Error = "the next plugin failed" // its words may be anybody's
	}
	if m := w.Msg; m != nil {
		code = m.Rcode
		l.Authoritative, l.Truncated = m.Authoritative, m.Truncated
		l.Answer, l.Authority, l.Additional = explain.Records(m.Answer), explain.Records(m.Ns), explain.Records(m.Extra)
	}
	l.Rcode, l.Seconds = explain.Rcode(code), l.Seconds+time.Since(began).Seconds()
	l.Steps = append(l.Steps, l.Rcode+" from there, "+explain.Count(len(l.Answer)))
}
