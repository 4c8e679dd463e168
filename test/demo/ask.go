package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// lookup is one question, and what the answer should be.
type lookup struct {
	caption string
	// name is without the last dot; for a PTR it is the address.
	name  string
	qtype string // "" is A
	// want are the lines of the answer, in any order, in the form of a zone
	// file without TTL and class: "@ A 10.101.0.20". "@" is the question's name
	// in its very case. "+ " stands before an additional record, and what is not
	// a record is as the demo prints it. "…" stands for any text.
	want []string
	// within is how fast it must be; 0 is no bound but the client's.
	within time.Duration
}

// client asks as dig does. Its timeout is longer than clusterset's (2s), whose
// answer is wanted even when it is late.
var client = &dns.Client{Timeout: 5 * time.Second}

// answer is a reply, compact.
type answer struct {
	lines []line
	took  time.Duration
}

// line is a record, or, without an owner, a remark.
type line struct {
	owner      string
	ttl        uint32
	rrtype     string
	text       string // the record's data, or the remark
	additional bool
}

// askAll asks for each, prints it, and counts those that are right.
func (s *show) askAll(lookups []lookup) error {
	for _, l := range lookups {
		a, err := s.exchange(l)
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		if err != nil {
			a.lines = append(a.lines, line{text: err.Error()})
		}
		right := l.matches(a)
		s.asked++
		if right {
			s.right++
		}
		s.lookup(l, s.dig(l.name, l.queryType()), a, right)
	}
	return nil
}

// exchange asks the server in front.
func (s *show) exchange(l lookup) (answer, error) {
	q := new(dns.Msg)
	q.SetQuestion(l.question(), dns.StringToType[l.queryType()])
	q.SetEdns0(1232, false) // as dig
	reply, took, err := client.ExchangeContext(s.ctx, q, s.front.address())
	if err != nil {
		return answer{}, err
	}
	return answer{lines: compact(reply), took: took}, nil
}

func (l lookup) queryType() string {
	if l.qtype == "" {
		return "A"
	}
	return l.qtype
}

// question is the name asked for.
func (l lookup) question() string {
	if _, err := netip.ParseAddr(l.name); err == nil {
		name, _ := dns.ReverseAddr(l.name) // it is an address
		return name
	}
	return dns.Fqdn(l.name)
}

// compact gives what a reader wants to see of a reply: what is wrong with it, if
// anything, its answer and additional records, and its extended errors.
func compact(reply *dns.Msg) []line {
	var lines []line
	if reply.Rcode != dns.RcodeSuccess {
		lines = append(lines, line{text: dns.RcodeToString[reply.Rcode] + authority(reply)})
	} else if len(reply.Answer) == 0 {
		lines = append(lines, line{text: "NODATA" + authority(reply)})
	}
	for _, rr := range reply.Answer {
		lines = append(lines, record(rr))
	}
	for _, rr := range reply.Extra {
		if o, ok := rr.(*dns.OPT); ok {
			lines = append(lines, extendedErrors(o)...)
			continue
		}
		additional := record(rr)
		additional.additional = true
		lines = append(lines, additional)
	}
	return lines
}

// authority tells which zone says that there is no answer, and for how long.
func authority(reply *dns.Msg) string {
	for _, rr := range reply.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return fmt.Sprintf(", SOA of %s, for %d seconds", soa.Hdr.Name, min(soa.Hdr.Ttl, soa.Minttl))
		}
	}
	return ""
}

func record(rr dns.RR) line {
	h := rr.Header()
	return line{owner: h.Name, ttl: h.Ttl, rrtype: dns.TypeToString[h.Rrtype], text: strings.TrimPrefix(rr.String(), h.String())}
}

func extendedErrors(o *dns.OPT) []line {
	var lines []line
	for _, option := range o.Option {
		if e, ok := option.(*dns.EDNS0_EDE); ok {
			lines = append(lines, line{text: fmt.Sprintf("EDE %d (%s): %s", e.InfoCode, dns.ExtendedErrorCodeToString[e.InfoCode], e.ExtraText)})
		}
	}
	return lines
}

// matches tells whether a is what l wants.
func (l lookup) matches(a answer) bool {
	if len(a.lines) != len(l.want) || (l.within > 0 && a.took > l.within) {
		return false
	}
	left := slices.Clone(l.want)
	for _, got := range a.lines {
		at := slices.IndexFunc(left, func(want string) bool { return like(got.key(l.question()), want) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}

// key is the line in the form of lookup.want.
func (n line) key(question string) string {
	if n.owner == "" {
		return n.text
	}
	owner := n.owner
	if owner == question {
		owner = "@"
	}
	key := owner + " " + n.rrtype + " " + n.text
	if n.additional {
		return "+ " + key
	}
	return key
}

// like tells whether text is pattern, in which "…" stands for any text.
func like(text, pattern string) bool {
	parts := strings.Split(pattern, "…")
	last := len(parts) - 1
	if last == 0 {
		return text == pattern
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	for _, part := range parts[1:last] {
		var found bool
		_, rest, found = strings.Cut(rest, part)
		ok = ok && found
	}
	return ok && strings.HasSuffix(rest, parts[last])
}

// dig is the command that asks the same.
func (s *show) dig(name, qtype string) string {
	command := fmt.Sprintf("dig @%s -p %d ", s.front.host, s.front.port)
	switch qtype {
	case "A":
		return command + name
	case "PTR":
		return command + "-x " + name
	}
	return command + name + " " + qtype
}
