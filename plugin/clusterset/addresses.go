package clusterset

import (
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// addressesFor is how long this machine's addresses are cached: a laptop's
// change, and asking for them costs several system calls.
const addressesFor = 10 * time.Second

// addresses are this server's own: those that the name servers of its zones are answered with.
type addresses struct {
	// hosts are those that the server block is bound to; none, "" or an unspecified
	// address stand for all of this machine's.
	hosts []string
	list  atomic.Pointer[addressList]
}

type addressList struct {
	addresses []netip.Addr
	until     time.Time
}

func (o *addresses) current() []netip.Addr {
	now := time.Now()
	if list := o.list.Load(); list != nil && now.Before(list.until) {
		return list.addresses
	}
	list := &addressList{reachable(o.find()), now.Add(addressesFor)}
	o.list.Store(list)
	return list.addresses
}

func (o *addresses) find() (found []netip.Addr) {
	for _, host := range o.hosts {
		addr, err := netip.ParseAddr(host)
		switch {
		case err != nil || addr == netip.IPv6Unspecified():
			return interfaceAddresses()
		case addr.IsUnspecified():
			all := interfaceAddresses()
			found = append(found, slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.Is4() })...)
		default:
			found = append(found, addr.Unmap().WithZone(""))
		}
	}
	if len(o.hosts) == 0 {
		return interfaceAddresses()
	}
	return found
}

// interfaceAddresses are those of the interfaces that are up. One that is down may
// hold thousands that are no server's: kube-proxy's kube-ipvs0.
func interfaceAddresses() (found []netip.Addr) {
	interfaces, err := net.Interfaces()
	if err != nil {
		log.Warningf("Which addresses this machine has: %v", err)
		return nil
	}
	for i := range interfaces {
		if interfaces[i].Flags&net.FlagUp == 0 {
			continue
		}
		addresses, err := interfaces[i].Addrs()
		if err != nil { // it has gone
			continue
		}
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok {
				if addr, ok := netip.AddrFromSlice(n.IP); ok {
					found = append(found, addr.Unmap())
				}
			}
		}
	}
	return found
}

// reachable are the addresses that another machine may reach this one at, each once;
// where there are none, those that this machine may.
func reachable(all []netip.Addr) []netip.Addr {
	var global, loopback []netip.Addr
	for _, addr := range all {
		switch {
		case slices.Contains(global, addr), slices.Contains(loopback, addr):
		case addr.IsGlobalUnicast():
			global = append(global, addr)
		case addr.IsLoopback():
			loopback = append(loopback, addr)
		}
	}
	if len(global) == 0 {
		return loopback
	}
	return global
}
