package install

import (
	"strings"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AddFlag adds --deployment, which says which CoreDNS it is.
func (w *Where) AddFlag(flags *pflag.FlagSet) {
	flags.Var(w, "deployment", "Deployment of the CoreDNS with clusterset, as [NAMESPACE/]NAME; looked for in kube-system and clusterset")
}

// String implements pflag.Value.
func (w *Where) String() string {
	if w.Deployment == "" {
		return ""
	}
	return w.Namespace + "/" + w.Deployment
}

// Type implements pflag.Value.
func (w *Where) Type() string { return "string" }

// Set implements pflag.Value.
func (w *Where) Set(value string) error {
	namespace, name, found := strings.Cut(value, "/")
	if !found {
		namespace, name = metav1.NamespaceSystem, value
	}
	*w = Where{namespace, name}
	return nil
}
