package resolver

import "github.com/miekg/dns"

// resolution returns the question's, with nothing yet but what is counted of it. It lies with the question, so that
// it costs no memory of its own, nor of the stack.
func (q *Question) resolution(source Source) *Resolution {
	res, rare := &q.room, q.room.Rare
	*res = Resolution{}
	res.Question, res.Member, res.Source, res.Code, res.Rare = q, q.Member, source, NoExtendedError, rare
	return res
}

// next passes the question on.
func (q *Question) next(action Action) *Resolution {
	res := q.resolution(OfZone)
	res.Action = action
	return res
}

// refuse is REFUSED, for err: nobody is asked.
func (q *Question) refuse(source Source, err error) *Resolution {
	res := q.resolution(source)
	res.Action, res.Rcode, res.Err = ReplyRcode, dns.RcodeRefused, err
	return res
}

// fault is SERVFAIL for what isn't the member's.
func (q *Question) fault(err error) *Resolution {
	res := q.resolution(Forward)
	res.Action, res.Rcode, res.Err = ReplyRcode, dns.RcodeServerFailure, err
	return res
}
