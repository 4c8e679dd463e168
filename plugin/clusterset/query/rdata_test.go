package query

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestRenameAll: each type of RFC 1035 to RFC 9460 whose data hold a name has it renamed,
// or is left out.
func TestRenameAll(t *testing.T) {
	const n, m = "n.cluster.local.", "m.Cluster.Local."
	for _, data := range []string{
		"NS " + n, "MD " + n, "MF " + n, "CNAME " + n, "SOA " + n + " " + m + " 1 2 3 4 5", "MB " + n, "MG " + n, "MR " + n, "PTR " + n,
		"MINFO " + n + " " + m, "MX 1 " + n, "RP " + n + " " + m, "AFSDB 1 " + n, "RT 1 " + n, "NSAP-PTR " + n, "PX 1 " + n + " " + m,
		"SRV 1 2 3 " + n, `NAPTR 1 2 "S" "http" "" ` + n, `NAPTR 1 2 "U" "sip" "!^.*$!sip:x@N.Cluster.Local!" .`, "KX 1 " + n, "DNAME " + n,
		"TALINK " + n + " " + m, "LP 1 " + n, "SVCB 1 " + n, "HTTPS 1 " + n, "IPSECKEY 1 3 2 " + n + " AAAA",
		"HIP 2 200100107B1A74DF365639CC39F1D578 AAAA " + n + " " + m, "AMTRELAY 1 0 3 " + n,
		`URI 1 2 "http://n.Cluster.local/"`, `TYPE65280 \# 18 016e07636c7573746572056c6f63616c00ff`, `TYPE65280 \# 13 634C55535445522e6c6f63616c`,
		"NSEC " + n + " A", "NXT " + n + " A", "RRSIG A 8 2 5 20300101000000 20260101000000 1 " + n + " AAAA", "SIG A 8 2 5 20300101000000 20260101000000 1 " + n + " AAAA",
	} {
		r := Renaming{Asked: "x.c1.lan.", AskedOf: "x.cluster.local.", Domain: "cluster.local.", Suffix: "c1.lan."}
		record, err := dns.NewRR("x.cluster.local. 5 IN " + data)
		if err != nil || record == nil {
			t.Errorf("%s: %v", data, err)
			continue
		}
		kept := r.Answer(record)
		text := strings.ToLower(record.String())
		if kept && (strings.Contains(text, "cluster.local") || strings.Contains(text, "07636c7573746572")) {
			t.Errorf("%s: %s", data, text)
		}
		if named := !strings.HasPrefix(data, "URI") && !strings.HasPrefix(data, "TYPE") && !strings.Contains(data, "sip"); named && (!kept || !strings.Contains(text, "n.c1.lan.")) {
			t.Errorf("%s: %v %s", data, kept, text)
		}
	}
}
