package objects

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReadSecret returns the kubeconfig in a member's Secret that join made, and the uid of the
// member's kube-system; nil where there is no such Secret.
func (c *Cluster) ReadSecret(ctx context.Context, l Local, member string) (kubeconfig []byte, uid string, err error) {
	s, err := c.GetSecret(ctx, l, member)
	if err != nil || s == nil {
		return nil, "", err
	}
	return s.Data[SecretKey], s.Annotations[memberUID], nil
}

// GetSecret returns a member's Secret, nil where there is none that join made.
func (c *Cluster) GetSecret(ctx context.Context, l Local, member string) (*v1.Secret, error) {
	s, err := c.Kube.CoreV1().Secrets(l.Namespace).Get(ctx, SecretName(member), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("Secret %s/%s in %s: %w", l.Namespace, SecretName(member), c, err)
	case !IsOfJoin(s):
		return nil, nil
	}
	return s, nil
}

// IsOfJoin reports whether join made a Secret. One that import made is renewed where it came
// from, and has no member's label.
func IsOfJoin(s *v1.Secret) bool {
	return s.Labels[ManagedByLabel] == ManagedBy && s.Labels[memberLabel] != ""
}

// SetKubeconfig writes another kubeconfig into a Secret that GetSecret returned, where nobody
// has changed it since.
func (c *Cluster) SetKubeconfig(ctx context.Context, s *v1.Secret, kubeconfig []byte) error {
	s = s.DeepCopy()
	s.Data[SecretKey] = kubeconfig
	_, err := c.Kube.CoreV1().Secrets(s.Namespace).Update(ctx, s, metav1.UpdateOptions{FieldManager: ManagedBy})
	return err
}

// TokenDuration is how long a token to ask for, by the Secret; else what is given.
func TokenDuration(s *v1.Secret, otherwise time.Duration) time.Duration {
	d, err := time.ParseDuration(s.Annotations[tokenDuration])
	if err != nil || d < 10*time.Minute { // the API's own bound
		return otherwise
	}
	return d
}

// MemberUID is the uid of the member's kube-system.
func MemberUID(s *v1.Secret) string { return s.Annotations[memberUID] }
