package batch

import (
	"errors"
	"reflect"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
)

var (
	errNoPort  = errors.New("a port that isn't known before it is listened on can't be shared")
	errProxied = errors.New("proxyproto reads its packets")
	errUnknown = errors.New("this CoreDNS isn't known")
)

// accepts returns what decides which messages s's plugins are to see, as s has dns.Server decide it,
// and an error if s wants packets read in a way that isn't ours.
//
// Both are fields of s that aren't exported, and nothing else says what's in them.
func accepts(s *dnsserver.Server) (dns.MsgAcceptFunc, error) {
	v := reflect.ValueOf(s).Elem()
	policy, opcodes := v.FieldByName("connPolicy"), v.FieldByName("allowedOpcodes")
	if policy.Kind() != reflect.Func || opcodes.Kind() != reflect.Map {
		return nil, errUnknown
	}
	if !policy.IsNil() {
		return nil, errProxied
	}
	allowed := map[int]bool{}
	for _, k := range opcodes.MapKeys() {
		allowed[int(k.Int())] = true
	}
	return func(h dns.Header) dns.MsgAcceptAction {
		action := dns.DefaultMsgAcceptFunc(h)
		if action != dns.MsgRejectNotImplemented || !allowed[int(h.Bits>>11)&0xF] {
			return action
		}
		if h.Qdcount != 1 {
			return dns.MsgReject
		}
		return dns.MsgAccept
	}, nil
}
