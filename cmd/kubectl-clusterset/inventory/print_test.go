package inventory

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

func kubeconfigOf(server string) []byte {
	return []byte("apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n" +
		"clusters: [{name: x, cluster: {server: '" + server + "', insecure-skip-tls-verify: true}}]\nusers: [{name: x, user: {token: x}}]\n")
}

func newPrinter() *printer {
	return &printer{local: objects.Local{Namespace: "kube-system", ConfigMap: "clusterset"}, kubeconfigs: true}
}

// TestUnreached: a cluster whose API isn't reached from here has its kubeconfig all the same,
// if its ranges are known: CoreDNS may reach it.
func TestUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := kubeconfigOf("https://" + l.Addr().String())
	_ = l.Close() // nobody is there
	p := newPrinter()
	p.addAll(t.Context(), []*cluster{
		{name: "a", origin: "x", kubeconfig: kubeconfig, serviceCIDRs: []string{"10.0.0.0/16"}},
		{name: "b", origin: "x", kubeconfig: kubeconfig},
	})
	set := document.Parse(p.entries).Set
	if set == nil || len(set.Clusters) != 1 || set.Clusters[0].Kubeconfig.Secret.Name != "a-kubeconfig" || p.withKubeconfig != 1 {
		t.Errorf("%v, %q", p.entries, p.notes)
	}
	if all := strings.Join(p.notes, "\n"); !strings.Contains(all, "b (x): left out: its service CIDRs aren't known") {
		t.Error(all)
	}
}

// TestManyUnreached: clusters that don't answer are waited for together, or a few would take
// the time of all others.
func TestManyUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // never reached, but where they wait for each other
	defer cancel()
	go func() {
		var open []net.Conn
		for len(open) < askedAtOnce {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open = append(open, conn) // and no answer
		}
		cancel()
		for _, conn := range open {
			_ = conn.Close()
		}
	}()
	var found []*cluster
	for i := range askedAtOnce {
		found = append(found, &cluster{name: fmt.Sprint("c", i), serviceCIDRs: []string{fmt.Sprintf("10.%d.0.0/16", i)}, kubeconfig: kubeconfigOf("https://" + l.Addr().String())})
	}
	p := newPrinter()
	p.addAll(ctx, found)
	if ctx.Err() != context.Canceled || len(p.entries) != len(found) {
		t.Errorf("%v, %d entries: one waited for another", ctx.Err(), len(p.entries))
	}
}

// TestUntrustedAPI: a server that a kubeconfig names can't fill the memory, nor send the question on.
func TestUntrustedAPI(t *testing.T) {
	followed := false
	for name, handler := range map[string]http.HandlerFunc{
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for chunk := []byte(strings.Repeat(" ", 1<<20)); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			followed = followed || r.URL.Path == "/elsewhere"
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(handler)
			defer server.Close()
			p := newPrinter()
			p.addAll(t.Context(), []*cluster{{name: "a", serviceCIDRs: []string{"10.0.0.0/16"}, kubeconfig: kubeconfigOf(server.URL)}})
			if all := strings.Join(p.notes, "\n"); !strings.Contains(all, name) || followed {
				t.Errorf("followed %v: %s", followed, all)
			}
		})
	}
}

// TestWords: words of an inventory don't reach a terminal as they are.
func TestWords(t *testing.T) {
	p := newPrinter()
	p.addAll(t.Context(), []*cluster{{name: "a\x1b[2J\nwarning: b" + strings.Repeat("x", 10_000), origin: "Secret x/y", refused: "r\x1b]0;"}})
	for _, note := range p.notes {
		if strings.ContainsAny(note, "\x1b\n") || len(note) > 1000 {
			t.Errorf("%d bytes: %.200q", len(note), note)
		}
	}
	if len(p.notes) == 0 {
		t.Error("no note")
	}
}

// TestTogether: entries are judged together as well.
func TestTogether(t *testing.T) {
	p := &printer{}
	p.addAll(t.Context(), []*cluster{
		{name: "a", serviceCIDRs: []string{"10.0.0.0/16"}},
		{name: "b", serviceCIDRs: []string{"10.0.0.0/24"}},
	})
	if all := strings.Join(p.notes, "\n"); len(p.entries) != 2 || !strings.Contains(all, "overlaps 10.0.0.0/16 of a") {
		t.Errorf("%d entries: %s", len(p.entries), all)
	}
}
