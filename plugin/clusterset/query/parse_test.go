package query

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var members = NewNames([]string{"c1", "c2", "eu", "c1.eu", "c1.us"})

// thieves are members' names that cover those of name servers.
var thieves = NewNames([]string{"dns", "ns.dns", "c1", "dns.c1", "c1.dns"})

func TestParse(t *testing.T) {
	tests := []struct {
		qname   string
		kind    Kind
		cluster string
		asked   string // of a member whose domain is cluster.local.
	}{
		{"lan.", ZoneApex, "", ""},
		{"ns.dns.lan.", ZoneNameServer, "", ""},
		{"dns.lan.", ZoneBranch, "", ""},
		{"us.lan.", ZoneBranch, "", ""},
		{"US.lan.", ZoneBranch, "", ""},
		{"c9.us.lan.", UnknownCluster, "", ""},
		{"c9.lan.", UnknownCluster, "", ""},
		{"web.default.c9.lan.", UnknownCluster, "", ""},
		{"c1.lan.", ClusterApex, "c1", "cluster.local."},
		{"dns-version.c1.lan.", Version, "c1", "dns-version.cluster.local."},
		{"ns.dns.c1.lan.", NameServer, "c1", "ns.dns.cluster.local."},
		{"svc.c1.lan.", ClusterBranch, "c1", "svc.cluster.local."},
		{"pod.c1.lan.", ClusterBranch, "c1", "pod.cluster.local."},
		{"DNS.c1.lan.", ClusterBranch, "c1", ""},
		{"dns.svc.c1.lan.", Branch, "c1", "dns.svc.cluster.local."},
		{"default.c1.lan.", Branch, "c1", "default.svc.cluster.local."},
		{"default.svc.c1.lan.", Branch, "c1", "default.svc.cluster.local."},
		{"web.default.c1.lan.", Service, "c1", "web.default.svc.cluster.local."},
		{"web.default.svc.c1.lan.", Service, "c1", "web.default.svc.cluster.local."},
		{"WEB.Default.SVC.C1.lan.", Service, "C1", "WEB.Default.SVC.cluster.local."},
		{"web-0.web.default.c1.lan.", Endpoint, "c1", "web-0.web.default.svc.cluster.local."},
		{"10-51-0-7.web.default.svc.c1.lan.", Endpoint, "c1", "10-51-0-7.web.default.svc.cluster.local."},
		{"_tcp.web.default.c1.lan.", Protocol, "c1", "web.default.svc.cluster.local."},
		{"_UDP.web.default.svc.c1.lan.", Protocol, "c1", "web.default.svc.cluster.local."},
		{"_sctp.web.default.c1.lan.", Protocol, "c1", "web.default.svc.cluster.local."},
		{"_http.web.default.c1.lan.", Endpoint, "c1", "_http.web.default.svc.cluster.local."},
		{"tcp.web.default.c1.lan.", Endpoint, "c1", "tcp.web.default.svc.cluster.local."},
		{"_http._tcp.web.default.c1.lan.", Port, "c1", "_http._tcp.web.default.svc.cluster.local."},
		{"_http._tcp.web.default.svc.c1.lan.", Port, "c1", "_http._tcp.web.default.svc.cluster.local."},
		{"10-51-0-7.default.pod.c1.lan.", Pod, "c1", "10-51-0-7.default.pod.cluster.local."},
		{"a.10-51-0-7.default.pod.c1.lan.", None, "c1", ""},
		{"a.b.c.d.default.c1.lan.", None, "c1", ""},
		// The longest member's name that ends the question is the member.
		{"web.default.c1.eu.lan.", Service, "c1.eu", "web.default.svc.cluster.local."},
		{"web.default.eu.lan.", Service, "eu", "web.default.svc.cluster.local."},
		{"web.c1.eu.lan.", Branch, "c1.eu", "web.svc.cluster.local."},
		{"c2.eu.lan.", Branch, "eu", "c2.svc.cluster.local."},
		// An escaped dot is no end of a label.
		{`web\.default.c1.lan.`, Branch, "c1", `web\.default.svc.cluster.local.`},
		{`web\.c1.lan.`, UnknownCluster, "", ""},
		{`web\.svc.c1.lan.`, Branch, "c1", `web\.svc.svc.cluster.local.`},
		{`\000\255.default.c1.lan.`, Service, "c1", `\000\255.default.svc.cluster.local.`},
	}
	for _, tt := range tests {
		t.Run(tt.qname, func(t *testing.T) {
			n := Parse(tt.qname, len("lan."), members)
			if n.Kind != tt.kind || n.Cluster != tt.cluster {
				t.Fatalf("kind %d of %q, want %d of %q", n.Kind, n.Cluster, tt.kind, tt.cluster)
			}
			if tt.asked != "" && n.MemberName("cluster.local.") != tt.asked {
				t.Errorf("asked as %q, want %q", n.MemberName("cluster.local."), tt.asked)
			}
			if n.Cluster != "" && n.Prefix+n.Suffix != tt.qname {
				t.Errorf("prefix %q and suffix %q aren't the name", n.Prefix, n.Suffix)
			}
		})
	}
}

// TestNameServers: no member takes a name server's name over, whatever it is
// called itself.
func TestNameServers(t *testing.T) {
	tests := []struct {
		qname   string
		kind    Kind
		cluster string
	}{
		{"ns.dns.lan.", ZoneNameServer, ""},
		{"NS.Dns.lan.", ZoneNameServer, ""},
		{"ns.dns.c1.lan.", NameServer, "c1"},
		{"ns.dns.C1.dns.lan.", NameServer, "C1.dns"},
		{"ns.dns.dns.c1.lan.", NameServer, "dns.c1"},
		{"ns.dns.dns.lan.", NameServer, "dns"},
		{"ns.dns.ns.dns.lan.", NameServer, "ns.dns"},
		{"xns.dns.c1.lan.", Branch, "dns.c1"},
		{`ns\.dns.lan.`, UnknownCluster, ""},
		{"web.default.dns.lan.", Service, "dns"},
	}
	for _, tt := range tests {
		n := Parse(tt.qname, len("lan."), thieves)
		if n.Kind != tt.kind || n.Cluster != tt.cluster {
			t.Errorf("%s: kind %d of %q, want %d of %q", tt.qname, n.Kind, n.Cluster, tt.kind, tt.cluster)
		}
		if n.Cluster != "" && n.Prefix+n.Suffix != tt.qname {
			t.Errorf("%s: prefix %q and suffix %q aren't the name", tt.qname, n.Prefix, n.Suffix)
		}
	}
}

func TestParseAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Parse("_http._tcp.web.default.svc.c1.lan.", len("lan."), members) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzParse looks for a name that makes the parser panic, or that is asked of a
// member though its labels don't come from the question.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"lan.", "web.default.c1.lan.", `a\.b.c1.eu.lan.`, "_a._b.c.d.svc.c1.lan.", `\\.c1.lan.`, ".lan."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, qname string) {
		if _, ok := dns.IsDomainName(qname); !ok || !strings.HasSuffix(qname, ".lan.") {
			return
		}
		n := Parse(qname, len("lan."), members)
		if n.Cluster == "" {
			return
		}
		if !members.members[strings.ToLower(n.Cluster)] || n.Prefix+n.Suffix != qname {
			t.Fatalf("%q gave %+v", qname, n)
		}
		asked := n.MemberName("cluster.local.")
		if _, ok := dns.IsDomainName(asked); ok && !InZone(asked, "cluster.local.") {
			t.Fatalf("%q is asked as %q, outside the member's domain", qname, asked)
		}
	})
}

// TestNamespace: of each name that is in one, whatever its form.
func TestNamespace(t *testing.T) {
	for name, want := range map[string]string{
		"lan.": "", "c9.lan.": "", "c1.lan.": "", "svc.c1.lan.": "", "dns-version.c1.lan.": "", "ns.dns.c1.lan.": "",
		"Default.c1.lan.": "default", "default.svc.c1.lan.": "default", "default.pod.c1.lan.": "default", "web.default.c1.lan.": "default",
		"WEB.Default.SVC.c1.lan.": "default", "a.web.default.svc.c1.lan.": "default", "_tcp.web.default.c1.lan.": "default",
		"_http._tcp.web.default.c1.lan.": "default", "10-51-0-7.default.pod.c1.lan.": "default", "a.10-51-0-7.default.pod.c1.lan.": "",
		`web.a\.default.c1.lan.`: `a\.default`, `a\.default.c1.lan.`: `a\.default`, `web.a\\.default.c1.lan.`: "default", "web.svc.c1.eu.lan.": "web",
	} {
		n := Parse(name, len("lan."), members)
		if got := n.Namespace(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
