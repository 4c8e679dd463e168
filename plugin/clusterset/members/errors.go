package members

import (
	"errors"

	"github.com/miekg/dns"
)

// NoExtendedError is the code of no extended error (RFC 8914) at all.
const NoExtendedError = dns.ExtendedErrorCodeOther

// briefer is an error whose text may hold words from outside, and which has others for a
// client.
type briefer interface {
	error
	Brief() string
}

// briefError is such an error.
type briefError struct {
	error
	brief string
}

func (b briefError) Brief() string { return b.brief }

// Brief returns what a client is told of an error: our own words alone.
func Brief(err error) string {
	if b, ok := errors.AsType[briefer](err); ok {
		return b.Brief()
	}
	return err.Error()
}

// Failed returns err as one of the member's, which it names; what a client is told of it stays
// apart (Brief). Of no member, nil, it is err itself: a name over the whole ClusterSet has none.
func (m *Member) Failed(err error) error {
	if m == nil {
		return err
	}
	of := "member " + m.Name + ": "
	if b, ok := errors.AsType[briefer](err); ok {
		return briefError{errors.New(of + err.Error()), of + b.Brief()}
	}
	return errors.New(of + err.Error())
}
