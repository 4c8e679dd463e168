package question

import "github.com/miekg/dns"

// Resolutions that are the same wherever they are made.

// Begin returns the question's Resolution, with nothing yet but what was counted of it. It lies
// with the question, so that it costs no memory of its own, nor of the stack.
func (q *Question) Begin(source Source) *Resolution {
	res, rare := &q.Room, q.Room.Rare
	*res = Resolution{}
	res.Question, res.Member, res.Source, res.Code, res.Rare = q, q.Member, source, NoExtendedError, rare
	return res
}

// Next passes the question on.
func (q *Question) Next(action Action) *Resolution {
	res := q.Begin(OfZone)
	res.Action = action
	return res
}

// Refuse is REFUSED, for err: nobody is asked.
func (q *Question) Refuse(source Source, err error) *Resolution {
	res := q.Begin(source)
	res.Action, res.Rcode, res.Err = ReplyRcode, dns.RcodeRefused, err
	return res
}

// Fault is SERVFAIL for what isn't the member's.
func (q *Question) Fault(err error) *Resolution {
	res := q.Begin(Forward)
	res.Action, res.Rcode, res.Err = ReplyRcode, dns.RcodeServerFailure, err
	return res
}
