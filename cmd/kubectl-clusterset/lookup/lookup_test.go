package lookup

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas/replicastest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// serve starts a status server that answers so, and returns its address.
func serve(t *testing.T, l *status.Lookup, asked *url.Values) string {
	t.Helper()
	return replicastest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			*asked = r.URL.Query()
		}
		if l == nil {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"type: not one of ours"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(l)
	})
}

// run runs the verb against servers. Their addresses are A, B, ... in what it writes.
func run(t *testing.T, servers []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	return replicastest.Run(t, New, servers, args...)
}

func web(address string) *status.Lookup {
	return &status.Lookup{
		Name: "web.shop.cluster2.lan.", Type: "A", Source: "data", Rcode: "NOERROR", Authoritative: true, Seconds: 0.0002,
		Answer: []string{"web.shop.cluster2.lan.\t5\tIN\tA\t" + address},
		Steps:  []string{"lan. is a cluster zone.", "cluster2's data have it."},
	}
}

func TestLookup(t *testing.T) {
	refused := &status.Lookup{
		Name: "web.shop.cluster2.lan.", Type: "A", Rcode: "SERVFAIL",
		ExtendedError: &status.ExtendedError{Code: 22, Name: "No Reachable Authority", Text: "member cluster2: down"},
		Error:         "member cluster2:\x1b[2J down",
	}
	for _, c := range []struct {
		name    string
		answers []*status.Lookup
		args    string
		code    int
		out     string
		errOut  string
	}{
		{"answer", []*status.Lookup{web("10.102.0.20")}, "web.shop.cluster2.lan", cli.Good, `;; A: NOERROR, authoritative, in 0.20 ms
;; QUESTION
;web.shop.cluster2.lan.	IN	A
;; ANSWER
web.shop.cluster2.lan.	5	IN	A	10.102.0.20

How it was found:
 1. lan. is a cluster zone.
 2. cluster2's data have it.
`, ""},
		{"failed", []*status.Lookup{refused}, "web.shop.cluster2.lan", cli.Failed, `;; A: SERVFAIL
;; QUESTION
;web.shop.cluster2.lan.	IN	A
;; EXTENDED ERROR 22 (No Reachable Authority): member cluster2: down
;; ERROR member cluster2:\x1b[2J down
`, ""},
		{"short", []*status.Lookup{web("10.102.0.20")}, "web.shop.cluster2.lan -o short", cli.Good,
			"web.shop.cluster2.lan. A: NOERROR, authoritative: A 10.102.0.20 (data)\n", ""},
		{"differ", []*status.Lookup{web("10.102.0.20"), web("10.102.0.21")}, "web.shop.cluster2.lan -o short --all-replicas", cli.Degraded,
			"web.shop.cluster2.lan. A: NOERROR, authoritative: A 10.102.0.20 (data)\nweb.shop.cluster2.lan. A: NOERROR, authoritative: A 10.102.0.21 (data)\n",
			"! replicas answer differently\n"},
		{"no such name", []*status.Lookup{{Name: "a.", Type: "A", Rcode: "NXDOMAIN"}}, "a -o short", cli.Degraded, "a. A: NXDOMAIN\n", ""},
		{"next", []*status.Lookup{{Name: "a.", Type: "A", Next: true}}, "a -o short", cli.Degraded,
			"a. A: not answered here: passed on to the next plugin\n", ""},
		{"not taken", []*status.Lookup{nil}, "a", cli.WrongUsage, "", "error: type: not one of ours\nSee 'kubectl clusterset lookup --help'.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var servers []string
			for _, l := range c.answers {
				servers = append(servers, serve(t, l, nil))
			}
			code, out, errOut := run(t, servers, strings.Fields(c.args)...)
			if d := cmp.Diff([]any{c.code, c.out, c.errOut}, []any{code, out, errOut}); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestFirst: the first replica that answers is enough; that one didn't is no secret.
func TestFirst(t *testing.T) {
	code, out, _ := run(t, []string{"127.0.0.1:1", serve(t, web("10.102.0.20"), nil)}, "web.shop.cluster2.lan")
	if code != cli.Good || !strings.HasPrefix(out, ";; B: NOERROR") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, _, errOut := run(t, []string{"127.0.0.1:1"}, "a"); code != cli.Failed || !strings.HasPrefix(errOut, "x A: dial tcp") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

func TestQuestion(t *testing.T) {
	for _, c := range []struct {
		args string
		want url.Values // nil is wrong usage
	}{
		{"Web.shop.cluster2.lan aaaa --client 10.1.2.3", url.Values{"name": {"Web.shop.cluster2.lan."}, "type": {"AAAA"}, "client": {"10.1.2.3"}}},
		{"10.102.0.20", url.Values{"name": {"20.0.102.10.in-addr.arpa."}, "type": {"PTR"}}},
		{"a NOPE", nil},
		{"a..b", nil},
		{"a --client x", nil},
		{"a --client 10.1.2.3 --from b", nil},
		{"a --from b", nil},
	} {
		var asked url.Values
		code, _, errOut := run(t, []string{serve(t, web("10.102.0.20"), &asked)}, strings.Fields(c.args)...)
		if d := cmp.Diff(c.want, asked); d != "" || (c.want == nil) != (code == cli.WrongUsage) {
			t.Errorf("%s: exit code %d: %s%s", c.args, code, errOut, d)
		}
	}
}
