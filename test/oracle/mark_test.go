//go:build e2e

package oracle

import (
	"errors"
	"fmt"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// marks is the namespace, and markedService the Service, that marks are in.
const marks, markedService = "marks", "endpoints"

// mark makes one object of each kind that is watched, named after the number, which
// is no earlier one's. A watch tells of changes in their order: who answers with
// the marks has all that came before.
func (a *api) mark(number int) {
	a.t.Helper()
	if number == 0 {
		a.createNamespace(marks)
		a.createMarked()
	}
	name := markOf(number)
	a.createNamespace(name)
	if a.mcs != nil {
		a.createImport(serviceImport(marks, name, web, setIPs("10.102.9.9")))
		a.createSlice(importedSlice(marks, name, markedService, "c1", ipv4, web, hosted(name, "10.51.200.1")))
		return
	}
	a.createService(service(marks, name, ports("http/TCP/80")))
	a.createSlice(slice(marks, name, markedService, discovery.AddressTypeIPv4, ports("http/TCP/80"), hosted(name, fmt.Sprintf("10.51.%d.%d", 200+number/250, number%250+1))))
}

func markOf(number int) string { return fmt.Sprintf("mark-%d", number) }

// createMarked makes what the marks' slices are of.
func (a *api) createMarked() {
	a.t.Helper()
	if a.mcs != nil {
		a.createImport(serviceImport(marks, markedService, headlessImport))
		return
	}
	a.createService(service(marks, markedService, headless))
}

// awaitMark waits until both servers answer with the marks of that number.
func (c *comparison) awaitMark(number int) {
	c.t.Helper()
	mark, zone := markOf(number), lowerCase
	endpoint := mark
	if c.mode == imports {
		endpoint, zone = mark+".c1", setLower
	}
	for _, prefix := range []string{
		mark + ".svc.",               // the namespace: no data, rather than no name
		mark + "." + marks + ".svc.", // the Service, or the ServiceImport
		endpoint + "." + markedService + "." + marks + ".svc.", // the EndpointSlice
	} {
		q := question{prefix: prefix, zone: zone, qtype: dns.TypeA}
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
