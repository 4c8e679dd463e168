package document

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// ports are each transport's where the document has none:
// RFC 1035, RFC 7858, RFC 8484 and RFC 9250.
var ports = map[model.Scheme]uint16{
	model.DNS: 53, model.TCP: 53, model.DoT: 853, model.HTTPS: 443, model.QUIC: 853,
}

// upstreams returns the member's upstreams; by default the 10th address of each service
// CIDR, where kubeadm and the managed services have their DNS.
func (c checker) upstreams(path string, values []string, cidrs []netip.Prefix) []model.Upstream {
	var found []model.Upstream
	for i, value := range c.bounded(path+".dns", values) {
		upstream, err := parseUpstream(value)
		switch {
		case err != nil:
			c.wrong(fmt.Sprintf("%s.dns[%d]", path, i), value, err.Error())
		case slices.Contains(found, upstream):
			c.wrong(fmt.Sprintf("%s.dns[%d]", path, i), value, "given twice")
		default:
			found = append(found, upstream)
		}
	}
	if len(values) > 0 {
		return found
	}
	for i, cidr := range cidrs {
		addr, ok := tenth(cidr)
		if !ok {
			c.wrong(fmt.Sprintf("%s.serviceCIDRs[%d]", path, i), cidr.String(), "has no 10th address; give dns")
			continue
		}
		found = append(found, model.Upstream{Scheme: model.DNS, Addr: netip.AddrPortFrom(addr, ports[model.DNS])})
	}
	return found
}

// tenth returns the network's address plus ten, 10.96.0.10 of 10.96.0.0/12, and whether it is
// in the network.
func tenth(cidr netip.Prefix) (netip.Addr, bool) {
	addr := cidr.Addr()
	for range 10 {
		addr = addr.Next()
	}
	return addr, cidr.Contains(addr)
}

var errUpstream = errors.New("not an upstream; write IP, IP:port, [v6]:port, dns://, tcp://, tls://, https:// or quic:// before it")

// parseUpstream reads "[SCHEME://]ADDRESS[:PORT]". It has no names: they would
// be looked up through the very server that asks.
func parseUpstream(value string) (model.Upstream, error) {
	scheme, rest := model.DNS, value
	if before, after, found := strings.Cut(value, "://"); found {
		scheme, rest = model.Scheme(before), after
	}
	port, known := ports[scheme]
	if !known {
		return model.Upstream{}, errUpstream
	}
	host := rest
	if strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]") {
		host = rest[1 : len(rest)-1]
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkUpstream(scheme, addr, port)
	}
	colon := strings.LastIndexByte(rest, ':')
	if colon < 0 {
		return model.Upstream{}, errUpstream
	}
	given, err := strconv.ParseUint(rest[colon+1:], 10, 16)
	if err != nil || given == 0 {
		return model.Upstream{}, errUpstream
	}
	addr, err := netip.ParseAddrPort(rest)
	if err != nil {
		return model.Upstream{}, errUpstream
	}
	return checkUpstream(scheme, addr.Addr(), uint16(given))
}

// zone is the name, or the number, of a network interface. Go accepts any text there.
var zone = regexp.MustCompile(`^[-.@+\w]{0,15}$`)

func checkUpstream(scheme model.Scheme, addr netip.Addr, port uint16) (model.Upstream, error) {
	if !zone.MatchString(addr.Zone()) {
		return model.Upstream{}, errUpstream
	}
	addr = addr.Unmap()
	if addr.IsUnspecified() || addr.IsMulticast() {
		return model.Upstream{}, errors.New("not an address of a server")
	}
	return model.Upstream{Scheme: scheme, Addr: netip.AddrPortFrom(addr, port)}, nil
}
