//go:build e2e

package oracle

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const marks = "marks"

// mark makes one object of each kind that is watched, named after the round. A
// watch tells of changes in their order: who answers with the marks has taken up
// all that came before.
func (a *api) mark(round int) {
	a.t.Helper()
	if round == 0 {
		a.createNamespace(marks)
		a.createService(service(marks, "endpoints", headless))
	}
	name := markOf(round)
	a.createNamespace(name)
	a.createService(service(marks, name, ports("http/TCP/80")))
	a.createSlice(slice(marks, name, "endpoints", discovery.AddressTypeIPv4, ports("http/TCP/80"), hosted(name, fmt.Sprintf("10.51.200.%d", round+1))))
}

func markOf(round int) string { return fmt.Sprintf("mark-%d", round) }

// awaitMark waits until both servers answer with the round's marks.
func (c *comparison) awaitMark(round int) {
	c.t.Helper()
	mark := markOf(round)
	for _, prefix := range []string{
		mark + ".svc.",                         // the namespace: no data, rather than no name
		mark + "." + marks + ".svc.",           // the Service
		mark + ".endpoints." + marks + ".svc.", // the EndpointSlice
	} {
		q := question{prefix: prefix, qtype: dns.TypeA}
		for _, side := range []struct {
			*server
			name string
		}{{c.theirs, q.theirName()}, {c.ours, q.ourName()}} {
			harness.Eventually(c.t, limit, side.name, func() error {
				side.Running()
				m, err := exchange(plain, side.addr, side.name, dns.TypeA)
				if err != nil {
					return err
				}
				if m.Rcode != dns.RcodeSuccess {
					return errors.New(dns.RcodeToString[m.Rcode])
				}
				return nil
			})
		}
	}
}
