package controlplane

import "fmt"

func (c *cluster) apiserverArgs() []string {
	issuer := "https://kubernetes.default.svc." + c.name
	args := []string{
		"apiserver",
		"--etcd-servers=" + c.etcd.url, "--etcd-prefix=/" + c.name,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.port),
		"--permit-port-sharing", // see reservePort
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
		"--cert-dir=" + c.dir,
		"--service-cluster-ip-range=" + c.serviceCIDRs,
		"--service-account-issuer=" + issuer, "--api-audiences=" + issuer,
		"--service-account-key-file=" + c.file("sa.key"),
		"--service-account-signing-key-file=" + c.file("sa.key"),
		"--token-auth-file=" + c.file("tokens.csv"), "--authorization-mode=RBAC",
		// Pods here are written by tests, without a ServiceAccount of theirs.
		"--disable-admission-plugins=ServiceAccount",
		"--profiling=false",
	}
	if c.fastServices {
		// The old allocator keeps a bitmap where the new one counts all
		// addresses for each Service: 10,000 of them in 15 s instead of 108 s.
		args = append(args, "--emulated-version=1.33", "--feature-gates=MultiCIDRServiceAllocator=false")
	}
	return args
}

func (c *cluster) controllerArgs() []string {
	return []string{
		"controller-manager",
		"--kubeconfig=" + c.kubeconfig,
		"--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=1000", "--kube-api-burst=2000",
		"--controllers=endpointslice-controller,endpointslice-mirroring-controller," +
			"namespace-controller,serviceaccount-controller,garbage-collector-controller",
	}
}
