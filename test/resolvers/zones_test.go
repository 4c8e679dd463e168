//go:build e2e && linux

package resolvers

// rootZone is the root of these tests: it delegates lan with the lines of the man page,
// and the reverse zones in the same way.
const rootZone = `. 60 IN SOA a.root. hostmaster.root. 1 7200 1800 86400 60
. 60 IN NS a.root.
a.root. 60 IN A 127.0.0.2
a.root. 60 IN AAAA ::1
www.example. 60 IN A 192.0.2.80
10.in-addr.arpa. 60 IN NS ns.dns.10.in-addr.arpa.
ns.dns.10.in-addr.arpa. 60 IN A ` + ours4 + `
ns.dns.10.in-addr.arpa. 60 IN AAAA ` + ours6 + `
d.f.ip6.arpa. 60 IN NS ns.dns.d.f.ip6.arpa.
ns.dns.d.f.ip6.arpa. 60 IN A ` + ours4 + `
ns.dns.d.f.ip6.arpa. 60 IN AAAA ` + ours6 + `
`

const hints = ". 60 IN NS a.root.\na.root. 60 IN A 127.0.0.2\na.root. 60 IN AAAA ::1\n"

// memberZone is what a member's DNS serves, where a cluster has its kubernetes plugin.
const memberZone = `$ORIGIN cluster.local.
$TTL 5
@                          IN SOA   ns.dns hostmaster 7 7200 1800 86400 5
web.default.svc            IN A     10.101.1.1
web.default.svc            IN AAAA  fd00:101::80
web.default.svc            IN SRV   0 100 80 web.default.svc
_http._tcp.web.default.svc IN SRV   0 100 80 web.default.svc
db.default.svc             IN A     10.101.2.1
db-0.db.default.svc        IN A     10.101.2.1
_pg._tcp.db.default.svc    IN SRV   0 100 5432 db-0.db.default.svc
10-101-2-7.default.pod     IN A     10.101.2.7
out.default.svc            IN CNAME www.example.
near.default.svc           IN CNAME web.default.svc
`

const reverseZone4 = `$ORIGIN 101.10.in-addr.arpa.
$TTL 5
@   IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5
1.1 IN PTR web.default.svc.cluster.local.
`

const reverseZone6 = `$ORIGIN 0.0.0.0.1.0.1.0.0.0.d.f.ip6.arpa.
$TTL 5
@                                       IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5
0.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR web.default.svc.cluster.local.
`

const corefileRoot = `.:53 {
    bind 127.0.0.2 ::1
    errors
    file root.zone .
}
`

const corefileMember = `.:5300 {
    bind IP
    errors
    file cluster.local.zone cluster.local
    file reverse4.zone 101.10.in-addr.arpa
    file reverse6.zone 0.0.0.0.1.0.1.0.0.0.d.f.ip6.arpa
}
`

// corefileKubernetes is k2's own DNS.
const corefileKubernetes = `.:5300 {
    bind 127.0.0.14
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig %s
        pods insecure
    }
}
`

// corefileOurs has no bind: name servers' addresses are the machine's.
const corefileOurs = `.:53 {
    errors
    bufsize 1232
    clusterset lan 10.in-addr.arpa d.f.ip6.arpa {
        file clusterset.yaml
    }
    forward . 127.0.0.2
}
`

// document has a member that is asked by DNS, another of two labels, one whose DNS is
// CoreDNS's kubernetes plugin, and one that is dead.
const document = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- {name: c1, serviceCIDRs: [10.101.0.0/16, "fd00:101::/112"], dns: ["127.0.0.11:5300"]}
- {name: c1.eu, serviceCIDRs: [10.201.0.0/16, "fd00:201::/112"], dns: ["127.0.0.12:5300"]}
- {name: k2, serviceCIDRs: [10.104.0.0/16], dns: ["127.0.0.14:5300"]}
- {name: dead, serviceCIDRs: [10.202.0.0/16], dns: ["127.0.0.13:5300"]}
`

// watched is the entry of a member whose names are answered from its API's data.
const watched = `- {name: k1, serviceCIDRs: [10.103.0.0/16], dns: ["127.0.0.13:5300"], kubeconfig: {file: "%s"}}
`
