//go:build e2e

package deploy

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// What running.md says that the memory limit is enough for.
const (
	memoryMembers  = 20
	memoryServices = 1000 // of each, with three endpoints, as objects of 3 KB
)

// A server that starts with so many members stays within the limit of the container, with
// Go's own limit as the Deployment gives it.
func TestMemoryHolds(t *testing.T) {
	var deployment appsv1.Deployment
	convert(t, render(t, "stand-alone"), "Deployment", &deployment)
	limit := deployment.Spec.Template.Spec.Containers[0].Resources.Limits.Memory().Value()
	if want := fmt.Sprintf("%d members with %d Services each", memoryMembers, memoryServices); !strings.Contains(read(t, "running.md"), want) {
		t.Errorf("running.md doesn't say %q", want)
	}
	dir := t.TempDir()
	document := "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n"
	for i := range memoryMembers {
		api := largeAPI(t, i)
		harness.WriteFile(t, filepath.Join(dir, fmt.Sprint(i)), string(api.Kubeconfig()))
		document += fmt.Sprintf("- {name: c%d, serviceCIDRs: [10.%d.0.0/16], dns: [\"127.0.0.1:1\"], kubeconfig: {file: %s/%d}}\n", i, i, dir, i)
	}
	harness.WriteFile(t, filepath.Join(dir, "clusterset.yaml"), document)
	command := exec.Command("../bin/coredns", "-conf", "stdin")
	command.Stdin = strings.NewReader(fmt.Sprintf("lan:10053 {\n bind %[1]s\n prometheus %[1]s:9153\n clusterset {\n file %[2]s/clusterset.yaml\n }\n}\n", prometheusIP, dir))
	command.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", limit)}
	program, err := harness.Run(command, filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(program.Kill)

	var most int64
	harness.Eventually(t, patience, "all data are there", func() error {
		if err := program.Running(); err != nil {
			t.Fatalf("%v\n%s", err, program.Log())
		}
		most = max(most, anonymous(t, program.PID()))
		if have := strings.Count(program.Log(), fmt.Sprintf("synced: %d services, %[1]d endpointslices", memoryServices)); have != memoryMembers {
			return fmt.Errorf("%d members are synced", have)
		}
		return nil
	})
	t.Logf("at the most %d MiB, of %d", most>>20, limit>>20)
	if most > limit {
		t.Errorf("it took %d MiB; the limit is %d", most>>20, limit>>20)
	}
}

var rssAnon = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB$`)

// anonymous is the memory that a container's limit counts and the kernel can't get back:
// without the program's own pages, which it reads again.
func anonymous(t *testing.T, pid int) int64 {
	t.Helper()
	found := rssAnon.FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", pid)))
	if found == nil {
		t.Fatal("no RssAnon")
	}
	kib, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// largeAPI is the API of a member with many Services, as users' are: of their bytes most are
// annotations.
func largeAPI(t *testing.T, member int) *apitest.API {
	t.Helper()
	services := &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	slices := &discoveryv1.EndpointSliceList{ListMeta: services.ListMeta}
	for i := range memoryServices {
		meta := metav1.ObjectMeta{
			Namespace: fmt.Sprintf("team-%d-%d", member, i/50), Name: fmt.Sprintf("service-%d-%d", member, i), ResourceVersion: "1",
			Annotations: map[string]string{v1.LastAppliedConfigAnnotation: strings.Repeat("configuration ", 200)},
		}
		host := func(net, n int) string { return fmt.Sprintf("10.%d.%d.%d", net, n>>8, n&0xff) }
		services.Items = append(services.Items, v1.Service{ObjectMeta: meta, Spec: v1.ServiceSpec{
			ClusterIP: host(member, i+20), ClusterIPs: []string{host(member, i+20)}, Ports: []v1.ServicePort{{Name: "http", Port: 80}},
		}})
		slice := discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: discoveryv1.AddressTypeIPv4}
		slice.Name, slice.Labels = slice.Name+"-x", map[string]string{discoveryv1.LabelServiceName: meta.Name}
		for e := range 3 {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{host(100+member, i*3+e)}})
		}
		slices.Items = append(slices.Items, slice)
	}
	return apitest.Start(t, true, map[string]http.HandlerFunc{
		apitest.ServicesPath: func(w http.ResponseWriter, _ *http.Request) { apitest.Respond(t, w, services) },
		apitest.SlicesPath:   func(w http.ResponseWriter, _ *http.Request) { apitest.Respond(t, w, slices) },
	})
}
