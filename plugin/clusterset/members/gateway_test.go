package members

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a log that keeps its lines.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Infof(format string, v ...any)    { l.add("info", format, v...) }
func (l *lines) Warningf(format string, v ...any) { l.add("warning", format, v...) }
func (l *lines) Errorf(format string, v ...any)   { l.add("error", format, v...) }

func (l *lines) add(level, format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, level+": "+fmt.Sprintf(format, v...))
}

// TestGateway: a member with a probe has its gateway probed, once for all server blocks, for as
// long as one of them has the member; changes are logged once; a member that changes in something
// else stays known to be down.
func TestGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := listen(t, "127.0.0.1:0") // the kernel accepts, as far as a probe sees
		address := listener.Addr().String()
		log, last := &lines{}, [2]*Set{}
		var managers []*Manager
		for i := range last {
			o := testOptions(func(s *Set) { last[i] = s })
			o.Log = log
			managers = append(managers, NewManager(o))
		}
		apply := func(url, zone string) {
			set := setOf(2, "cluster.local.")
			set.Clusters[0].Probe, set.Clusters[0].Zone = url, zone
			for _, m := range managers {
				m.SetClusterSet(set)
			}
		}
		pass := func() {
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		apply("tcp://"+address, "a")
		gateway := last[0].Member("c0").Gateway
		if gateway == nil || gateway != last[1].Member("c0").Gateway || last[0].Member("c1").Gateway != nil {
			t.Fatalf("%v", gateway)
		}
		pass()
		if !gateway.Alive() {
			t.Errorf("%+v", gateway.Status())
		}
		listener.Close()
		pass()
		before := last[0].Member("c0")
		apply("tcp://"+address, "b")
		if now := last[0].Member("c0"); now == before || now.Gateway != gateway || gateway.Alive() {
			t.Errorf("changed: %v, the same gateway: %v, alive: %v", now != before, now.Gateway == gateway, gateway.Alive())
		}
		pass()
		listener = listen(t, address)
		pass()
		want := []string{"warning: Member c0: gateway is down: connect: connection refused", "info: Member c0: gateway is back"}
		if !slices.Equal(log.all, want) {
			t.Errorf("%q, want %q", log.all, want)
		}
		apply("", "b")
		pass()
		if last[0].Member("c0").Gateway != nil || allGateways.Len() != 0 {
			t.Errorf("without a probe: %d gateways", allGateways.Len())
		}
		apply("tcp://"+address, "b")
		for _, m := range managers {
			m.Close()
			m.Wait()
		}
		if allGateways.Len() != 0 {
			t.Errorf("closed: %d gateways", allGateways.Len())
		}
		listener.Close()
	})
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
