// Package explain makes of a Resolution what a person, or a command, is told of it: the
// answer, and how it was found. It decides nothing, and is of no query's way.
package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// maxError bounds an error's text, in bytes: it may have words from outside.
const maxError = 400

// zoneKinds are the words for resolver's.
var zoneKinds = [...]status.ZoneKind{
	question.ClusterZone: status.ClusterZone, question.ReverseZone: status.ReverseZone, question.ClustersetZone: status.ClustersetZone,
}

// ZoneKind returns the word for a zone's kind.
func ZoneKind(k question.Kind) status.ZoneKind { return zoneKinds[k] }

// cacheWords are those for what the cache had.
var cacheWords = [...]string{question.CacheUnused: "", question.CacheHit: "hit", question.CacheMiss: "miss"}

// exclusions are the words for why records were left out.
var exclusions = [question.Exclusions]string{
	question.Guarded: "guarded", question.OutOfReach: "out of reach", question.NotExported: "not exported",
}

// Of returns what is told of a Resolution that has its attempts.
func Of(res *question.Resolution) status.Lookup {
	q := res.Question
	l := status.Lookup{
		Name: q.Name, Type: dns.Type(q.Type).String(), Client: q.Client.Address().String(),
		Zone: q.Zone.Name, Kind: ZoneKind(q.Zone.Kind), Seconds: time.Since(q.Received).Seconds(),
	}
	if q.Member != nil {
		l.Member = q.Member.Name
	}
	if res.Action == question.AskNext || res.Action == question.AskNextUncached {
		l.Next = true
		l.Steps = steps(res, &l)
		return l
	}
	l.Source, l.Rcode, l.Cache = res.Source.String(), Rcode(res.Rcode), cacheWords[res.Cache.Result]
	l.Authoritative, l.Truncated = res.Authoritative, res.Truncated
	l.Answer, l.Authority, l.Additional = Records(res.Answer), Records(res.Authority), Records(res.Additional)
	if res.Code != question.NoExtendedError {
		l.ExtendedError = &status.ExtendedError{Code: res.Code, Name: dns.ExtendedErrorCodeToString[res.Code], Text: quoted.Line(res.Text, maxError)}
	}
	l.Error, l.StaleReason = text(res.Err), text(res.StaleReason)
	if res.Upstream != nil {
		l.Upstream = res.Upstream.String()
	}
	l.Attempts = attempts(res)
	l.Rule = string(res.Chosen.Rule())
	for _, c := range res.Chosen.Candidates() {
		l.Candidates = append(l.Candidates, status.Candidate{Member: c.Member, Answers: c.Chosen, Reason: quoted.Line(c.Reason, maxError)})
	}
	for why, count := range res.Rare.Excluded {
		if count > 0 {
			if l.Excluded == nil {
				l.Excluded = make(map[string]int)
			}
			l.Excluded[exclusions[why]] = int(count)
		}
	}
	l.Steps = steps(res, &l)
	return l
}

// Records returns records in presentation format.
func Records(rrs []dns.RR) (all []string) {
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			all = append(all, rr.String())
		}
	}
	return all
}

// Rcode returns the word for one, which there isn't for each.
func Rcode(code int) string { return cmp.Or(dns.RcodeToString[code], fmt.Sprint("RCODE", code)) }

func text(err error) string {
	if err == nil {
		return ""
	}
	return quoted.Ends(strings.ReplaceAll(err.Error(), "\n", "; "), maxError)
}

// attempts returns the messages to upstreams. Where members were asked for parts, theirs are
// all there are.
func attempts(res *question.Resolution) (all []status.Attempt) {
	if len(res.Parts) > 0 {
		for _, part := range res.Parts {
			all = append(all, attempts(part)...)
		}
		return all
	}
	name := ""
	if res.Question.Member != nil {
		name = res.Question.Member.Name
	}
	for i := range res.Attempts {
		a := &res.Attempts[i]
		all = append(all, status.Attempt{
			Member: name, Upstream: a.Upstream.String(), Proto: a.Proto, Seconds: a.End.Sub(a.Start).Seconds(), Replied: a.Replied, Error: text(a.Err),
		})
	}
	return all
}
