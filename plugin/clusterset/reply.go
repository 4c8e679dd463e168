package clusterset

import (
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// maxExtraText bounds the text of an extended error, in bytes.
const maxExtraText = 100

// explain adds the extended error, for a client that sent EDNS: RFC 8914. Where the reply is
// larger with it than the client can take, it is left out: the records are worth more.
func (q *client) explain(res *question.Resolution) {
	theirs := q.state.Req.IsEdns0()
	if theirs == nil {
		return
	}
	m := &q.reply.Msg
	m.SetEdns0(theirs.UDPSize(), theirs.Do())
	o := m.IsEdns0()
	o.Option = append(o.Option, &dns.EDNS0_EDE{InfoCode: res.Code, ExtraText: res.Text[:min(len(res.Text), maxExtraText)]})
	if len(m.Answer)+len(m.Extra) <= 1 {
		return // no reply of one record is that large
	}
	m.Compress = true
	if m.Len() > q.state.Size() {
		o.Option = o.Option[:0]
	}
	m.Compress = false
}

// askNextUncached writes the next plugin's reply if that is authoritative, in a form that no cache
// keeps for long: a client can forge the option that leads to it, and another client is answered
// from the member. The cache plugin keeps no denial without an SOA, and a record with a TTL of
// 0 for its minimum TTL only. A reply that isn't authoritative proves nothing about a member's
// address.
func (q *client) askNextUncached() (int, error) {
	w := nonwriter.New(q.state.W)
	_, err := plugin.NextOrFailure(pluginName, q.plugin.Next, q.ctx, w, q.state.Req)
	m := w.Msg
	named := m != nil && m.Rcode == dns.RcodeSuccess && m.Authoritative && len(m.Answer) > 0
	if !named && (m == nil || m.Rcode != dns.RcodeNameError) {
		return dns.RcodeRefused, err
	}
	m = m.Copy() // a plugin may have lent its own records
	for _, rr := range m.Answer {
		rr.Header().Ttl = 0
	}
	m.Ns = slices.DeleteFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
	if err := q.state.W.WriteMsg(m); err != nil {
		return dns.RcodeServerFailure, err
	}
	return dns.RcodeSuccess, nil
}
