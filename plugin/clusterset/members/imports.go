package members

import (
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// acquireImports begins, or shares, the watching of ServiceImports in the API that this
// CoreDNS has, until Release. It returns nil where none are needed: in a server block that
// serves no clusterset zone, has no API, or asks everybody by DNS.
//
// They have no metrics: those of data have a member's name, and these aren't a member's.
// Their Status and the log have what is wrong.
func (o *Options) acquireImports() *sharedData {
	if !o.Multicluster || o.API == nil || o.Mode == model.ModeForward {
		return nil
	}
	key := dataKey{imports: true, api: o.API.Key()}
	shared, _ := allData.Acquire(key, func() (*sharedData, error) {
		s := &sharedData{key: key, releaseMetrics: func() {}, stop: func() {}, stopped: make(chan struct{})}
		s.Member = member.Start(member.Options{Imports: true, Log: o.Log, Metrics: member.NoMetrics(), Gate: lists})
		s.SetCredentials(member.Credentials{Config: o.API.Config()}, nil)
		return s, nil
	})
	return shared
}
