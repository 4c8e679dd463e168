package credentials

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
)

// inline returns the Config of a kubeconfig that isn't from a file. Whoever may write a
// Secret must not have CoreDNS run a command, read its files (a tokenFile would send its
// own token to a server of their choice) or use its own credentials. So client-go isn't
// asked what it would use: it falls back to entries named "", to the environment and to
// the pod. Only the fields copied below are used, of one context that exists; any other
// field that is set is refused, also one that a later client-go adds.
func inline(all *clientcmdapi.Config, name string) (*rest.Config, error) {
	cluster, user, err := chosen(all, name)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		refuse(*cluster, clientcmdv1.Cluster{}, "server", "tls-server-name", "insecure-skip-tls-verify",
			"certificate-authority-data", "disable-compression", "extensions"),
		refuse(*user, clientcmdv1.AuthInfo{}, "token", "client-certificate-data", "client-key-data", "extensions"),
	); err != nil {
		return nil, err
	}
	server, err := serverURL(cluster.Server)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkAuthority(cluster), checkUser(user)); err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:        server,
		BearerToken: user.Token,
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: cluster.TLSServerName,
			Insecure:   cluster.InsecureSkipTLSVerify,
			CAData:     cluster.CertificateAuthorityData,
			CertData:   user.ClientCertificateData,
			KeyData:    user.ClientKeyData,
		},
	}, nil
}

// chosen returns the cluster and the user of a context. All three must exist.
func chosen(all *clientcmdapi.Config, name string) (*clientcmdapi.Cluster, *clientcmdapi.AuthInfo, error) {
	if name == "" {
		return nil, nil, errors.New("current-context: missing: must name one of contexts")
	}
	context := all.Contexts[name]
	if context == nil {
		return nil, nil, fmt.Errorf("contexts: no %q", name)
	}
	cluster, user := all.Clusters[context.Cluster], all.AuthInfos[context.AuthInfo]
	switch {
	case context.Cluster == "" || cluster == nil:
		return nil, nil, fmt.Errorf("context %q: cluster: must name one of clusters, not %q", name, context.Cluster)
	case context.AuthInfo == "" || user == nil:
		return nil, nil, fmt.Errorf("context %q: user: must name one of users, not %q", name, context.AuthInfo)
	}
	return cluster, user, nil
}

// instead is what to write in place of a field that is refused.
var instead = map[string]string{
	"certificate-authority": "use certificate-authority-data",
	"client-certificate":    "use client-certificate-data",
	"client-key":            "use client-key-data",
	"tokenFile":             "use token",
	"exec":                  "no command is run for it: use a token or a client certificate",
	"auth-provider":         "use a token or a client certificate",
	"username":              "use a token or a client certificate",
	"password":              "use a token or a client certificate",
}

// refuse returns the error about every field of a cluster or a user that is set and not
// allowed, by its name in written, the type with the JSON tags.
func refuse(used, written any, allowed ...string) error {
	var refused []error
	value, names := reflect.ValueOf(used), reflect.TypeOf(written)
	for i := range value.NumField() {
		field, _ := names.FieldByName(value.Type().Field(i).Name)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if value.Field(i).IsZero() || slices.Contains(allowed, name) || value.Type().Field(i).Name == "LocationOfOrigin" {
			continue
		}
		reason := "it isn't from a file"
		if hint := instead[name]; hint != "" {
			reason += "; " + hint
		}
		refused = append(refused, fmt.Errorf("%s: refused, %s", name, reason))
	}
	return errors.Join(refused...)
}

// serverURL validates and returns the server's URL.
func serverURL(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("server: must be https://HOST[:PORT][/PATH]") // the value may hold a password
	}
	return u.String(), nil
}

func checkAuthority(cluster *clientcmdapi.Cluster) error {
	data, insecure := cluster.CertificateAuthorityData, cluster.InsecureSkipTLSVerify
	switch {
	case insecure && len(data) > 0:
		return errors.New("insecure-skip-tls-verify: must not be beside certificate-authority-data")
	case !insecure && len(data) == 0:
		return errors.New("certificate-authority-data: missing")
	case insecure:
		return nil
	}
	pool, err := boundedfile.Authorities(data)
	if err == nil && pool == nil {
		err = errors.New("holds no PEM certificate")
	}
	if err != nil {
		return fmt.Errorf("certificate-authority-data: %w", err)
	}
	return nil
}

// checkUser requires a token, a client certificate, or both.
func checkUser(user *clientcmdapi.AuthInfo) error {
	certificate, key := user.ClientCertificateData, user.ClientKeyData
	if len(certificate) > 0 || len(key) > 0 {
		if _, err := boundedfile.KeyPair(certificate, key); err != nil {
			return fmt.Errorf("client-certificate-data, client-key-data: %w", err)
		}
		return nil
	}
	if user.Token == "" {
		return errors.New("user: empty: must have token, or client-certificate-data and client-key-data")
	}
	return nil
}
