package corefile

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	doc "github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const pages = "../deploy/coming-from"

// comingFrom are the pages for users of other systems, with what exports a Service there.
// nil stands for a ServiceExport.
var comingFrom = map[string]func(*metav1.ObjectMeta){
	"linkerd.md": func(m *metav1.ObjectMeta) { m.Labels = map[string]string{"mirror.linkerd.io/exported": "true"} },
	"cilium.md": func(m *metav1.ObjectMeta) {
		m.Annotations = map[string]string{"service.cilium.io/global": "true"}
	},
	"istio.md":                     nil,
	"lighthouse.md":                nil,
	"kubernetes-multicluster.md":   nil,
	"generated-forward-stanzas.md": nil,
	"cloud-vpc.md":                 nil,
}

// Every page's Corefile starts with its document, and dig prints there what the page says.
func TestComingFrom(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pages, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "README.md" {
			continue
		}
		mark, known := comingFrom[name]
		if !known || len(files) != len(comingFrom)+1 {
			t.Errorf("%s: not among comingFrom, or one of those isn't there", name)
			continue
		}
		t.Run(strings.TrimSuffix(name, ".md"), func(t *testing.T) {
			t.Parallel()
			followPage(t, read(t, file), mark)
		})
	}
}

var (
	clusterSetFence = regexp.MustCompile("(?ms)^```yaml\n(apiVersion: clusterset/.*?)^```$")
	consoleFence    = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	stanza          = regexp.MustCompile(`(?m)^( *clusterset .*\{)$`)
	configMap       = regexp.MustCompile(`(?m)^ *configmap .*\n`)
	dig             = regexp.MustCompile(`^\$ dig \+short (?:([A-Z]+) )?(\S+)$`)
)

// followPage does what the page says, with members that have the fixture's Services.
func followPage(t *testing.T, page string, mark func(*metav1.ObjectMeta)) {
	corefile := only(t, "corefile", fence, page)
	members := parseMembers(t, only(t, "document", clusterSetFence, page))
	p := newPlace(t)
	for i, c := range members.Clusters {
		m := newFixture(i + 1)
		c.DNS = []string{serve(t, m.records())}
		if c.Name == "east" {
			p.zone = write(t, "db.cluster.local", "$ORIGIN .\n"+soaOfMember+m.records())
		}
		if c.Kubeconfig != nil {
			c.Kubeconfig = &doc.Kubeconfig{File: write(t, "kubeconfig", string(m.api(t, mark).Kubeconfig()))}
		}
	}
	text, err := members.Write()
	if err != nil {
		t.Fatal(err)
	}
	p.document = write(t, "clusterset.yaml", string(text))
	corefile = stanza.ReplaceAllString(configMap.ReplaceAllString(corefile, ""), "$1\nfile clusterset.yaml")
	s := start(t, p, corefile)
	if _, err := harness.Poll(t.Context(), startTimeout, func() error {
		if status, who := s.ready(t); status != http.StatusOK && strings.Contains(who, "clusterset") {
			return fmt.Errorf("%d %q", status, who)
		}
		return nil
	}); err != nil {
		t.Fatalf("ready: %v", err)
	}
	wantConsole(t, s, only(t, "console", consoleFence, page))
}

// only is the first group of the one match of a page.
func only(t *testing.T, what string, of *regexp.Regexp, page string) string {
	t.Helper()
	found := of.FindAllStringSubmatch(page, -1)
	if len(found) != 1 {
		t.Fatalf("%s: %d of them, want 1", what, len(found))
	}
	return found[0][1]
}

// parseMembers reads a document without a finding.
func parseMembers(t *testing.T, text string) *doc.Document {
	t.Helper()
	parsed := doc.Parse(map[string]string{"clusterset.yaml": text})
	for _, finding := range parsed.Findings {
		t.Error(finding)
	}
	if t.Failed() {
		t.FailNow()
	}
	return parsed.Documents["clusterset.yaml"]
}

// wantConsole asks what each command asks, and compares.
func wantConsole(t *testing.T, s *server, console string) {
	t.Helper()
	commands := strings.Split("\n"+console, "\n$ ")[1:]
	if len(commands) == 0 {
		t.Fatal("no command")
	}
	for _, command := range commands {
		line, output, _ := strings.Cut("$ "+command, "\n")
		words := dig.FindStringSubmatch(line)
		if words == nil {
			t.Fatalf("%q: not a dig +short", line)
		}
		qtype := dns.TypeA
		if words[1] != "" {
			qtype = dns.StringToType[words[1]]
		}
		want, got := strings.Fields(output), []string(nil)
		reply := s.ask(t, dns.Fqdn(words[2]), qtype)
		for _, rr := range reply.Answer {
			got = append(got, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the page has %v, the reply is\n%v", line, want, reply)
		}
	}
}

var (
	link     = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	headings = []string{"What you have", "The same here", "Set it up", "See it", "What is different", "The way back"}
)

// Links among the pages lead somewhere, README.md's to each of them, and each page has the
// same sections.
func TestComingFromLinks(t *testing.T) {
	linked := make(map[string]bool)
	for name := range comingFrom {
		linked[name] = false
	}
	for _, name := range append(slices.Collect(maps.Keys(comingFrom)), "README.md") {
		text := read(t, filepath.Join(pages, name))
		for _, to := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(pages, to[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if to[2] != "" && !slices.Contains(anchors(read(t, target)), to[2]) {
				t.Errorf("%s: no heading %s in %s", name, to[2], target)
			}
			if name == "README.md" {
				linked[to[1]] = true
			}
		}
		if got := headingsOf(text); name != "README.md" && !slices.Equal(got, headings) {
			t.Errorf("%s: headings %q, want %q", name, got, headings)
		}
	}
	for name, is := range linked {
		if !is {
			t.Errorf("README.md doesn't link %s", name)
		}
	}
	for _, from := range []string{"../README.md", "../deploy/README.md"} {
		if !strings.Contains(read(t, from), "coming-from/README.md") {
			t.Errorf("%s doesn't link the pages", from)
		}
	}
}

// headingsOf are those of the second level.
func headingsOf(text string) (all []string) {
	for line := range strings.Lines(text) {
		if heading, is := strings.CutPrefix(line, "## "); is {
			all = append(all, strings.TrimSpace(heading))
		}
	}
	return all
}

// anchors are the headings as links name them.
func anchors(text string) (all []string) {
	for _, heading := range headingsOf(text) {
		all = append(all, "#"+strings.ReplaceAll(strings.ToLower(heading), " ", "-"))
	}
	return all
}
