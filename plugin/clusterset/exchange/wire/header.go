package wire

import "github.com/miekg/dns"

// Layout of a message's header: RFC 1035, section 4.1.1; AD and CD are of RFC
// 4035, section 3.
const (
	// HeaderLen is the header's size, in bytes.
	HeaderLen   = 12
	flagsOffset = 2
	countOffset = 4

	flagQR     = 1 << 15 // a reply
	maskOpcode = 0xF << 11
	flagAA     = 1 << 10
	flagTC     = 1 << 9
	flagRD     = 1 << 8
	flagRA     = 1 << 7
	flagZ      = 1 << 6
	flagAD     = 1 << 5
	flagCD     = 1 << 4
	maskRcode  = 0xF
)

// IsFailure reports whether an rcode is no answer: all but NOERROR and NXDOMAIN are the
// upstream's own failure, and say nothing about the name.
func IsFailure(rcode int) bool { return rcode != dns.RcodeSuccess && rcode != dns.RcodeNameError }

// setHeader sets what a reply's header may say: the opcode is QUERY's, which is 0.
func setHeader(h *dns.MsgHdr, bits uint16) {
	h.Response = true
	h.Authoritative = bits&flagAA != 0
	h.Truncated = bits&flagTC != 0
	h.RecursionDesired = bits&flagRD != 0
	h.RecursionAvailable = bits&flagRA != 0
	h.Zero = bits&flagZ != 0
	h.AuthenticatedData = bits&flagAD != 0
	h.CheckingDisabled = bits&flagCD != 0
	h.Rcode = int(bits & maskRcode)
}
