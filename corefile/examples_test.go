package corefile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// examples are the Corefiles of this folder: what to start each with, and ask.
var examples = map[string]func(t *testing.T, corefile string){
	"whole-set/Corefile":              wholeSet,
	"kube-system/Corefile":            withoutAPI,
	"stand-alone/Corefile":            withoutAPI,
	"laptop/Corefile":                 laptop,
	"dns-over-tls/asking/Corefile":    overTLS,
	"dns-over-tls/answering/Corefile": onlyWithCertificate,
}

// Every Corefile here is started and asked.
func TestExamples(t *testing.T) {
	found := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "Corefile" {
			found[filepath.ToSlash(path)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range examples {
		if !found[name] {
			t.Errorf("%s: not found", name)
		}
	}
	for name := range found {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := examples[name]
			if check == nil {
				t.Fatal("nobody starts it: add it to examples")
			}
			check(t, read(t, name))
		})
	}
}

// Without an API a Corefile of a cluster starts all the same: there is no
// ClusterSet, so its names fail, other names are served, and it isn't clusterset
// that keeps it from being ready, but for its first 5 seconds.
func withoutAPI(t *testing.T, corefile string) {
	t.Run("as it is", func(t *testing.T) {
		t.Parallel()
		s := start(t, newPlace(t), corefile)
		if reply := s.ask(t, "web.default.cluster1.lan.", dns.TypeA); reply.Rcode != dns.RcodeServerFailure {
			t.Errorf("lan: want SERVFAIL, have\n%v", reply)
		}
		_, err := harness.Poll(t.Context(), startTimeout, func() error {
			if status, who := s.ready(t); strings.Contains(who, "clusterset") {
				return fmt.Errorf("%d %q", status, who)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("ready: %v", err)
		}
		if reply := s.ask(t, "web.default.cluster1.lan.", dns.TypeA); reply.Rcode != dns.RcodeServerFailure {
			t.Errorf("lan, once ready: want SERVFAIL, have\n%v", reply)
		}
		wantAnswer(t, s.ask(t, "www.example.", dns.TypeA), "www.example.\t30\tIN\tA\t192.0.2.1")
		// An address of no member is the next plugin's.
		wantAnswer(t, s.ask(t, "1.100.51.198.in-addr.arpa.", dns.TypePTR), "1.100.51.198.in-addr.arpa.\t30\tIN\tPTR\telsewhere.example.")
	})
	t.Run("without cache", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.uncached = true
		reply := start(t, p, corefile).ask(t, "web.default.cluster1.lan.", dns.TypeA)
		if reply.Rcode != dns.RcodeServerFailure || extendedError(reply) != dns.ExtendedErrorCodeNotReady {
			t.Errorf("lan: want SERVFAIL with extended error 14, have\n%v", reply)
		}
	})
}

const (
	service = "web.default.svc.cluster.local. 5 IN A 10.102.0.80\n"
	reverse = "80.0.102.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.\n"
)

func laptop(t *testing.T, corefile string) {
	p := newPlace(t)
	p.port = 1053 + portOffset
	p.document = document(t, path(t, "laptop", "clusterset.yaml"), serve(t, service+reverse), certificates{})
	s := start(t, p, corefile)

	wantAnswer(t, s.ask(t, "web.default.cluster2.lan.", dns.TypeA), "web.default.cluster2.lan.\t5\tIN\tA\t10.102.0.80")
	wantAnswer(t, s.ask(t, "80.0.102.10.in-addr.arpa.", dns.TypePTR), "80.0.102.10.in-addr.arpa.\t5\tIN\tPTR\tweb.default.svc.cluster2.lan.")
	wantAnswer(t, s.ask(t, "www.example.", dns.TypeA), "www.example.\t30\tIN\tA\t192.0.2.1")
	if reply := s.ask(t, "web.default.nosuch.lan.", dns.TypeA); reply.Rcode != dns.RcodeNameError {
		t.Errorf("unknown cluster: want NXDOMAIN, have\n%v", reply)
	}
}

func wantAnswer(t *testing.T, reply *dns.Msg, want string) {
	t.Helper()
	if len(reply.Answer) != 1 || reply.Answer[0].String() != want {
		t.Errorf("want %s, have\n%v", want, reply)
	}
}

func extendedError(m *dns.Msg) uint16 {
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				return e.InfoCode
			}
		}
	}
	return dns.ExtendedErrorCodeOther
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
