//go:build e2e

package overset

import (
	"fmt"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
)

// statefulSet: members of a StatefulSet in each cluster, by their host names (lighthouse#511).
func statefulSet(s *story) {
	for _, c := range []*cluster{s.east, s.west} {
		s.service(c, "db", headless)
		s.export(c, "db")
		var all []discovery.Endpoint
		for i := range 2 {
			all = append(all, discovery.Endpoint{Addresses: []string{c.pod(i + 1)}, Hostname: new(fmt.Sprintf("db-%d", i))})
		}
		s.slice(c, "db", "db-1", discovery.AddressTypeIPv4, all...)
	}
	v := s.start("east", "affinity none", document(nil, s.east.as(), s.west.as(), s.north.as()))
	db := s.name("db")
	v.await(db, both(s.east.pod(1), s.east.pod(2), s.west.pod(1), s.west.pod(2)))
	var targets []string
	for _, c := range []*cluster{s.east, s.west} {
		for i := range 2 {
			host := fmt.Sprintf("db-%d.%s.%s", i, c.name, db)
			targets = append(targets, "0 25 8080 "+host)
			v.await(host, c.pod(i+1))
		}
	}
	v.awaitType(dns.TypeSRV, db, both(targets...))
	v.awaitType(dns.TypeSRV, "_http._tcp."+db, both(targets...))
	for _, name := range []string{"db-2.east." + db, "db-0.north." + db, "db-0.south." + db, "db-0." + db, "east." + db} {
		v.await(name, missing)
	}
	// The names are of the member, whichever members are preferred.
	v.set(document([]string{"services: [" + s.namespace + "/db], affinity: local"}, s.east.as(), s.west.as(), s.north.as()))
	v.await(db, both(s.east.pod(1), s.east.pod(2)))
	v.await("db-1.west."+db, s.west.pod(2))
}
