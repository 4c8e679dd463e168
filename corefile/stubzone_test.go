package corefile

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"sigs.k8s.io/yaml"
)

const providers = "stand-alone/README.md"

// Each stub zone, of whatever provider, starts and sends lan to clusterset's Service.
func TestStubZones(t *testing.T) {
	blocks := make(map[string]string)
	serverBlocks(providers, read(t, providers), blocks)
	if want := 3; len(blocks) != want {
		t.Errorf("%d server blocks, want %d", len(blocks), want)
	}
	for where, block := range blocks {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(block, "forward . 10.101.0.53") {
				t.Errorf("it doesn't ask the Service:\n%s", block)
			}
			p := newPlace(t)
			p.resolver = serve(t, "web.default.cluster2.lan. 5 IN A 10.102.0.20\n")
			s := start(t, p, block)
			if reply := s.ask(t, "web.default.cluster2.lan.", dns.TypeA); len(reply.Answer) != 1 {
				t.Errorf("have\n%s", reply)
			}
			if reply := s.ask(t, "www.example.", dns.TypeA); reply.Rcode != dns.RcodeRefused {
				t.Errorf("it answers for others:\n%s", reply)
			}
		})
	}
}

var yamlFence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// Each provider's object is one, and its stub zone is lan at the Service.
func TestStubObjects(t *testing.T) {
	objects := make(map[string]string)
	for _, found := range yamlFence.FindAllStringSubmatch(read(t, providers), -1) {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
			Data     map[string]string
			Spec     struct {
				Servers []struct {
					Zones         []string
					ForwardPlugin struct{ Upstreams []string }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(found[1]), &object); err != nil {
			t.Fatalf("%v\n%s", err, found[1])
		}
		name := object.Kind + " " + object.Metadata.Name
		switch name {
		case "ConfigMap coredns-custom":
			objects[name] = object.Data["clusterset.server"]
		case "ConfigMap kube-dns":
			var stubs map[string][]string
			if err := json.Unmarshal([]byte(object.Data["stubDomains"]), &stubs); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			objects[name] = strings.Join(stubs["lan"], "")
		case "DNS default":
			for _, s := range object.Spec.Servers {
				objects[name] += strings.Join(s.Zones, "") + " " + strings.Join(s.ForwardPlugin.Upstreams, "")
			}
		default:
			t.Errorf("%s: nobody looks at it", name)
		}
	}
	for name, want := range map[string]string{"ConfigMap coredns-custom": "forward . 10.101.0.53", "ConfigMap kube-dns": "10.101.0.53", "DNS default": "lan 10.101.0.53"} {
		if !strings.Contains(objects[name], want) {
			t.Errorf("%s: have %q, want %q", name, objects[name], want)
		}
	}
}
