package document

import (
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func (c checker) tls(path string, t *TLS) model.TLS {
	if t == nil {
		return model.TLS{}
	}
	files := t.CAFile != "" || t.CertFile != "" || t.KeyFile != ""
	if t.Secret != "" && files {
		c.report(path, "secret and files given; one of them")
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		c.report(path, "certFile and keyFile go together")
	}
	return model.TLS{
		ServerName: t.ServerName, Secret: c.object(path+".secret", t.Secret),
		CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile,
	}
}

func (c checker) kubeconfig(path string, k *Kubeconfig) model.Kubeconfig {
	if k == nil {
		return model.Kubeconfig{}
	}
	switch {
	case k.Secret == "" && k.File == "":
		c.report(path, "neither secret nor file")
	case k.Secret != "" && k.File != "":
		c.report(path, "secret and file given; one of them")
	case k.Key != "" && k.File != "":
		c.wrong(path+".key", k.Key, "goes with secret, not with file")
	}
	return model.Kubeconfig{Secret: c.object(path+".secret", k.Secret), Key: k.Key, File: k.File, Context: k.Context}
}

func (c checker) object(path, value string) model.ObjectName {
	if value == "" {
		return model.ObjectName{}
	}
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || notLabel(namespace) || slices.ContainsFunc(strings.Split(name, "."), notLabel) {
		c.wrong(path, value, "not NAMESPACE/NAME")
		return model.ObjectName{}
	}
	return model.ObjectName{Namespace: namespace, Name: name}
}
