package install

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
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
	if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return errors.New("must be [NAMESPACE/]NAME, as Kubernetes has names")
	}
	*w = Where{namespace, name}
	return nil
}
