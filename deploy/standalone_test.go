package deploy

import (
	"regexp"
	"slices"
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The Service, the disruption budget, the network policy and the spread mean the pods of
// the Deployment, and the ports that these have: the API takes them whatever they say.
func TestStandAloneFits(t *testing.T) {
	objects := render(t, "stand-alone")
	var (
		deployment appsv1.Deployment
		service    v1.Service
		budget     policyv1.PodDisruptionBudget
		policy     networkingv1.NetworkPolicy
	)
	convert(t, objects, "Deployment", &deployment)
	convert(t, objects, "Service", &service)
	convert(t, objects, "PodDisruptionBudget", &budget)
	convert(t, objects, "NetworkPolicy", &policy)
	pod := deployment.Spec.Template
	for what, selector := range map[string]*metav1.LabelSelector{
		"Service":             {MatchLabels: service.Spec.Selector},
		"PodDisruptionBudget": budget.Spec.Selector,
		"NetworkPolicy":       &policy.Spec.PodSelector,
		"spread":              pod.Spec.TopologySpreadConstraints[0].LabelSelector,
		"affinity":            pod.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.LabelSelector,
	} {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
			t.Errorf("%s: %v selects no pod of the Deployment, %v (%v)", what, s, pod.Labels, err)
		}
	}
	if budget.Spec.MaxUnavailable.IntValue() >= int(*deployment.Spec.Replicas) {
		t.Errorf("a drained node may take %v of %d pods", budget.Spec.MaxUnavailable, *deployment.Spec.Replicas)
	}
	for _, port := range service.Spec.Ports {
		wantPort(t, "Service", pod.Spec, port.TargetPort.StrVal, port.Protocol)
	}
	for _, rule := range policy.Spec.Ingress {
		for _, port := range rule.Ports {
			wantPort(t, "NetworkPolicy", pod.Spec, port.Port.StrVal, *port.Protocol)
		}
	}
}

func wantPort(t *testing.T, what string, pod v1.PodSpec, name string, protocol v1.Protocol) {
	t.Helper()
	if !slices.ContainsFunc(pod.Containers[0].Ports, func(p v1.ContainerPort) bool { return p.Name == name && p.Protocol == protocol }) {
		t.Errorf("%s: the pods have no port %q over %s", what, name, protocol)
	}
}

var lameduck = regexp.MustCompile(`lameduck (\d+)s`)

// A pod that leaves answers for as long as its Corefile says, and isn't killed before.
func TestStandAloneLeaves(t *testing.T) {
	var deployment appsv1.Deployment
	convert(t, render(t, "stand-alone"), "Deployment", &deployment)
	found := lameduck.FindStringSubmatch(read(t, "kustomize", "stand-alone", "Corefile"))
	if found == nil {
		t.Fatal("no lameduck in the Corefile")
	}
	seconds, err := strconv.ParseInt(found[1], 10, 64)
	if grace := *deployment.Spec.Template.Spec.TerminationGracePeriodSeconds; err != nil || grace <= seconds {
		t.Errorf("it is killed after %d s, and leaves in %d s (%v)", grace, seconds, err)
	}
}

// The two forms have no object in common: one may be installed beside the other, and
// deleted without it.
func TestFormsAreApart(t *testing.T) {
	names := make(map[string]bool)
	for _, form := range overlays {
		for _, o := range render(t, form) {
			name := o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
			if names[name] {
				t.Errorf("%s is in both", name)
			}
			names[name] = true
		}
	}
}
