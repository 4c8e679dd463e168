//go:build e2e

package member

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// many is how many Services, and as many slices, a member has in section 7 of the
// design.
const many = 10000

// TestLarge: a big member is synced, and fresh after an outage, within the same
// bounds; its changes don't wait for each other.
func TestLarge(t *testing.T) {
	// As it is, and as it was in Kubernetes 1.33, which streams no lists.
	t.Run("streamed", func(t *testing.T) { large(t, v1.ClusterIPNone) })
	t.Run("plain", func(t *testing.T) { large(t, "", "--fast-services") })
}

func large(t *testing.T, ip string, flags ...string) {
	a := startAPI(t, flags...)
	a.fill(many, ip)
	relay, kubeconfig := harness.StartRelay(t, a.up, "c1")
	debug.FreeOSMemory() // what fill left
	heap, rss := memory(t)
	s := startMember(a)
	began := time.Now()
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(kubeconfig)}, nil)
	<-s.Synced()
	t.Logf("synced after %v", time.Since(began))
	settle := func() float64 {
		least := 1e9
		harness.Throughout(t, 10*time.Second, "fresh", func() error {
			least = min(least, resident(t))
			return s.isFresh()
		})
		return least - rss
	}
	t.Logf("resident at once %.1f MiB more, then %.1f MiB", resident(t)-rss, settle())
	now, nowRSS := memory(t)
	t.Logf("%d services and slices: %.1f MiB of heap, resident %.1f MiB more", many, now-heap, nowRSS-rss)
	services, slices := s.View().Data.Count()
	if services < many || slices < many {
		t.Errorf("%d services, %d slices", services, slices)
	}
	for range 2 {
		relay.Lose(true)
		s.await(staleWithin, member.Stale)
		relay.Lose(false)
		t.Logf("fresh %v after an outage", s.await(freshWithin, member.Fresh))
		t.Logf("resident at once %.1f MiB more, then %.1f MiB", resident(t)-rss, settle())
	}
	now, nowRSS = memory(t)
	t.Logf("then: %.1f MiB of heap, resident %.1f MiB more", now-heap, nowRSS-rss)
	a.http.CloseIdleConnections()
}

// resident gives MiB.
func resident(t *testing.T) float64 {
	t.Helper()
	pages, err := strconv.Atoi(strings.Fields(harness.ReadFile(t, "/proc/self/statm"))[1])
	if err != nil {
		t.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

// memory gives MiB of live heap, and resident.
func memory(t *testing.T) (heap, rss float64) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20), resident(t)
}

// fill makes that many Services, each with a slice of two endpoints.
func (a *api) fill(count int, ip string) {
	a.t.Helper()
	var work errgroup.Group
	work.SetLimit(32)
	for i := range count {
		work.Go(func() error {
			name := fmt.Sprintf("service-%d", i)
			_, err := a.admin.CoreV1().Services(namespace).Create(a.t.Context(), &v1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: name},
				Spec:       v1.ServiceSpec{ClusterIP: ip, Ports: []v1.ServicePort{{Name: "http", Port: 80}, {Name: "metrics", Port: 9090}}},
			}, metav1.CreateOptions{})
			if err != nil {
				return err
			}
			of := slice(name)
			of.Endpoints = []discovery.Endpoint{
				{Addresses: []string{fmt.Sprintf("10.51.%d.%d", i/250, i%250+1)}}, {Addresses: []string{fmt.Sprintf("10.52.%d.%d", i/250, i%250+1)}},
			}
			_, err = a.admin.DiscoveryV1().EndpointSlices(namespace).Create(a.t.Context(), of, metav1.CreateOptions{})
			return err
		})
	}
	a.must(work.Wait())
}
