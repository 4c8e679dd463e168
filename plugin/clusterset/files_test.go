package clusterset

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// inTime is for what would hang for ever.
const inTime = 30 * time.Second

// finishes fails the test where do doesn't return.
func finishes(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(inTime):
		t.Fatalf("%s: hangs", what)
	}
}

// noFiles are paths of what is no regular file, of those that have no end, and of one
// that is too large.
func noFiles(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	pipe, socket, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		pipe: "is a named pipe", socket: "is a socket", dir: "is a directory", "/dev/zero": "is a device",
		large: "too large", "/proc/self/mem": "input/output error", filepath.Join(dir, "missing"): "no such file",
	}
}

// serveFile is a server whose ClusterSet is in the file, with what its Corefile has.
func serveFile(path string) string {
	return ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile " + path + "\n}\nwhoami\n}"
}

// TestNoFiles: whatever is in the place of a file, the other members answer, the
// Corefile is reloaded, and the server ends.
func TestNoFiles(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	for path, why := range noFiles(t) {
		t.Run(why, func(t *testing.T) {
			t.Parallel() // most of it waits
			clusters := clusterAt("good", member, "")
			for i, field := range []string{"tls: {caFile: %s}", "tls: {certFile: %s, keyFile: " + path + "}"} {
				clusters += clusterAt(fmt.Sprintf("bad%d", i), "tls://"+member, ", "+fmt.Sprintf(field, path))
			}
			if why == "is a named pipe" { // members' data are waited for at each start
				clusters += clusterAt("data", member, ", kubeconfig: {file: "+path+"}")
			}
			set := serveFile(document(t, clusters))
			var s *coreDNS
			finishes(t, path+": start", func() { s = startCoreDNS(t, set) })
			for range 2 {
				if m := lookup(t, s.addr, "udp", "web.default.good.lan.", dns.TypeA); !strings.HasPrefix(addressOf(m), "10.101.") {
					t.Errorf("%s: %v", path, m)
				}
				for _, bad := range []string{"bad0", "bad1"} {
					if m := lookup(t, s.addr, "udp", "web.default."+bad+".lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
						t.Errorf("%s: %s: %v", path, bad, m)
					}
				}
				finishes(t, path+": reload", func() { s.reload(t, set) })
			}
			finishes(t, path+": end", s.stop)

			finishes(t, path+": start with it as the document", func() {
				_, err := caddy.Start(corefile(strings.ReplaceAll(serveFile(path), "PORT", "0")))
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("%s: error %v, want %s", path, err, why)
				}
			})
		})
	}
}

// TestHungDisk: while a disk hangs, on which there are files of many members, the
// ClusterSet changes, the others answer, the Corefile is reloaded, and the server ends.
func TestHungDisk(t *testing.T) {
	t.Parallel() // it waits for what hangs
	hung, _ := clustertest.HungFolder(t)
	a := newAuthority(t)
	plain := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	encrypted := "tls://" + a.startEncrypted(t, "tls")
	good := ", tls: {serverName: dns.c1.example, caFile: " + a.path("ca.pem") + ", certFile: " + a.path("client.pem") + ", keyFile: " + a.path("client.key") + "}"
	var bad strings.Builder
	const many = 25 // of two files each: the kernel gives a user 128 inotify instances, and other tests want some
	for i := range many {
		bad.WriteString(clusterAt(fmt.Sprintf("tls%d", i), encrypted, fmt.Sprintf(", tls: {caFile: %s/%d}", hung, i)))
		bad.WriteString(clusterAt(fmt.Sprintf("data%d", i), plain, fmt.Sprintf(", kubeconfig: {file: %s/kubeconfig%d}", hung, i)))
	}
	path := document(t, clusterAt("first", plain, ""))
	var s *coreDNS
	finishes(t, "start", func() { s = startCoreDNS(t, serveFile(path)) })

	answers := func(member string) bool {
		return strings.HasPrefix(addressOf(lookup(t, s.addr, "udp", "web.default."+member+".lan.", dns.TypeA)), "10.101.")
	}
	writeDocument(t, path, clusterAt("first", plain, "")+bad.String()+clusterAt("second", plain, "")+clusterAt("third", encrypted, good))
	// One wait for each of the members would be longer.
	eventually(t, 20*time.Second, "the change", func() bool { return answers("second") })
	for _, member := range []string{"first", "third"} {
		if !answers(member) {
			t.Errorf("%s doesn't answer", member)
		}
	}
	m := lookup(t, s.addr, "udp", "web.default.tls7.lan.", dns.TypeA)
	if m.Rcode != dns.RcodeServerFailure {
		t.Errorf("a member whose certificates can't be read: %v", m)
	}
	finishes(t, "reload", func() { s.reload(t, serveFile(path)) })
	if !answers("third") {
		t.Error("third doesn't answer after a reload")
	}
	writeDocument(t, path, clusterAt("fourth", encrypted, good))
	eventually(t, 20*time.Second, "another change", func() bool { return answers("fourth") })
	finishes(t, "end", s.stop)

	finishes(t, "start with the document on it", func() {
		_, err := caddy.Start(corefile(strings.ReplaceAll(serveFile(hung+"/clusterset.yaml"), "PORT", "0")))
		if err == nil || !strings.Contains(err.Error(), "not read in time") {
			t.Errorf("error %v", err)
		}
	})
}

// TestMaterialInTime: at a change, files that can be read are there for the first
// query of their new member.
func TestMaterialInTime(t *testing.T) {
	a := newAuthority(t)
	encrypted := "tls://" + a.startEncrypted(t, "tls")
	member := func(i int) string {
		copied := newAuthority(t)
		for _, file := range []string{"ca.pem", "client.pem", "client.key"} {
			text, err := os.ReadFile(a.path(file))
			if err != nil {
				t.Fatal(err)
			}
			copied.write(t, file, text)
		}
		return clusterAt(fmt.Sprintf("c%d", i), encrypted, ", tls: {serverName: dns.c1.example, caFile: "+copied.path("ca.pem")+", certFile: "+copied.path("client.pem")+", keyFile: "+copied.path("client.key")+"}")
	}
	path := document(t, member(0))
	s := startCoreDNS(t, serveFile(path))
	for i := range 5 {
		name := fmt.Sprintf("web.default.c%d.lan.", i+1)
		writeDocument(t, path, member(i+1))
		var m *dns.Msg
		eventually(t, inTime, "the change", func() bool {
			m = lookup(t, s.addr, "udp", name, dns.TypeA)
			return m.Rcode != dns.RcodeNameError
		})
		if !strings.HasPrefix(addressOf(m), "10.101.") {
			t.Errorf("%s: %v", name, m)
		}
	}
}
