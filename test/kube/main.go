// Command kube is etcd, kube-apiserver or kube-controller-manager, by its first
// argument, and "kube up", which runs the control planes of a ClusterSet out of
// them. It is one binary, and not three, for the time to link and the space.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"github.com/coredns-clusterset/clusterset/test/kube/controlplane"
)

func main() {
	// Each server reads its arguments as if it were a program of its own.
	os.Args = os.Args[1:]
	switch name := append(os.Args, "")[0]; name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "up":
		os.Exit(controlplane.Main(os.Args[1:]))
	default:
		fmt.Fprintln(os.Stderr, "usage: kube etcd|apiserver|controller-manager|up [ARGUMENT...]")
		os.Exit(2)
	}
}
