package objects

import (
	"slices"
	"testing"

	v1 "k8s.io/api/core/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// TestMembers: whose kubeconfig is renewed: what join made, also in an entry that was written
// anew by hand; not what import took from an inventory, which renews its own.
func TestMembers(t *testing.T) {
	l := Local{Namespace: "kube-system", ConfigMap: "clusterset"}
	data := make(map[string]string)
	for name, write := range map[string]func(*document.Cluster) (string, error){"joined": Entry, "imported": ImportedEntry} {
		text, err := write(&document.Cluster{Name: name, Kubeconfig: &document.Kubeconfig{Secret: "kube-system/" + SecretName(name)}})
		if err != nil {
			t.Fatal(err)
		}
		data[EntryKey(name)] = text
	}
	data["clusterset.yaml"] = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n" +
		"- {name: hand, kubeconfig: {secret: kube-system/hand-kubeconfig}}\n- {name: other, kubeconfig: {secret: kube-system/x}}\n"
	set := &ClusterSet{live: &v1.ConfigMap{Data: data}}
	if have, want := set.Members(l), []string{"hand", "joined"}; !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
	if err := set.CanLeave("imported"); err != nil {
		t.Errorf("leave of what import made: %v", err)
	}
	if set.CanLeave("hand") == nil {
		t.Error("leave takes what neither join nor import made")
	}
	if set.CanJoin("imported") == nil || set.CanJoin("joined") != nil || set.CanJoin("new") != nil {
		t.Error("join writes over what it didn't make, or not what it made")
	}
}
