//go:build e2e

package configmap

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestFilesWithoutEnd: a pipe that nobody writes to, and a device without an end, in the
// place of members' files, change nothing for others, for a reload, and for the end. In
// the place of the document they are an error.
func TestFilesWithoutEnd(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	members := []entry{member(1, c1.Addr)}
	for i, path := range []string{pipe, "/dev/zero"} {
		for j, field := range []string{"caFile: %s", "certFile: %s, keyFile: /dev/null", "certFile: /dev/null, keyFile: %s"} {
			n := 2 + 3*i + j
			members = append(members, entry{fmt.Sprintf("c%d", n), fmt.Sprintf("10.%d.0.0/16", 100+n), "tls://" + c1.Addr, "tls: {" + fmt.Sprintf(field, path) + "}"})
		}
	}
	a.write(one(members...))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	for range 2 {
		s.Await(t, seen, who("c1"), answer(c1.mark))
		for _, bad := range members[1:] {
			s.Want(t, who(bad.name), noDNS)
		}
		harness.Eventually(t, seen, "ready", s.IsReady)
		s.Reload()
	}
	for _, path := range []string{pipe, "/dev/zero"} {
		if s.Logged("can't be asked: "+path, "must be a regular file") == 0 {
			t.Errorf("the log doesn't say what %s is", path)
		}
		good := s.Read("Corefile")
		s.Write("Corefile", strings.Replace(good, "configmap", "file "+path, 1))
		s.FailToReload()
		s.Want(t, who("c1"), answer(c1.mark))
		s.Write("Corefile", good)
	}
	s.Stop()
}
