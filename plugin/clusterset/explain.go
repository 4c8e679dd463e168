package clusterset

import (
	"errors"

	"github.com/miekg/dns"
)

// maxExplanation bounds the text of an extended error, in bytes.
const maxExplanation = 100

// briefer is an error whose text may hold words from outside, and which has others for
// a client.
type briefer interface {
	error
	Brief() string
}

// briefly is such an error.
type briefly struct {
	error
	brief string
}

func (b briefly) Brief() string { return b.brief }

// brief is what a client is told of an error: our own words alone.
func brief(err error) string {
	if b, ok := errors.AsType[briefer](err); ok {
		return b.Brief()
	}
	return err.Error()
}

// fit leaves the explanation out where the reply is larger with it than the client can
// take: then the records are worth more.
func (q *ask) fit(m *dns.Msg) {
	o := m.IsEdns0()
	if o == nil || len(o.Option) == 0 || len(m.Answer)+len(m.Extra) <= 1 {
		return // no reply of one record is that large
	}
	compressed := m.Compress
	m.Compress = true
	tooLarge := m.Len() > q.state.Size()
	m.Compress = compressed
	if tooLarge {
		o.Option = o.Option[:len(o.Option)-1]
	}
}

// explained is the OPT record of a look-up's reply, with its first extended error alone,
// and no words but ours: those of a name that isn't ours are somebody else's.
func (q *ask) explained(reply *dns.Msg, name string) *dns.OPT {
	o := reply.IsEdns0()
	if o == nil || q.state.Req.IsEdns0() == nil {
		return nil
	}
	all := o.Option
	o.Option = nil
	for _, option := range all {
		ede, ok := option.(*dns.EDNS0_EDE)
		if !ok {
			continue
		}
		if q.memberOf(name) == nil {
			ede.ExtraText = ""
		}
		ede.ExtraText = ede.ExtraText[:min(len(ede.ExtraText), maxExplanation)]
		o.Option = []dns.EDNS0{ede}
		break
	}
	return o
}
