package decode

import (
	"sync"

	discovery "k8s.io/api/discovery/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// detailInterner shares equal details of endpoints, of which a member has a few: one for
// each zone, with each of its hints and conditions.
type detailInterner struct {
	mu    sync.Mutex
	known map[string]*model.EndpointDetail
}

const (
	// maxDetails bounds how many are known, for the member's life: what is shared doesn't
	// count against an API's bounds. Endpoints with other ones have no zone and no hints.
	maxDetails = 4096
	// maxZone is the longest zone: that of a label's value. maxForZones is the API's bound.
	maxZone     = 63
	maxForZones = 8
)

// conditions are the details of endpoints without a zone.
var conditions = [2][2]*model.EndpointDetail{
	{nil, {Terminating: true}},
	{{NotServing: true}, {NotServing: true, Terminating: true}},
}

// detail returns the endpoint's, nil for one that is serving, isn't terminating, and has
// neither zone nor hints.
func (in *detailInterner) detail(e *discovery.Endpoint) *model.EndpointDetail {
	var to model.EndpointDetail
	to.NotServing, to.Terminating = !isTrue(e.Conditions.Serving, true), isTrue(e.Conditions.Terminating, false)
	without := conditions[index(to.NotServing)][index(to.Terminating)]
	if e.Zone != nil && len(*e.Zone) <= maxZone {
		to.Zone = *e.Zone
	}
	if e.Hints != nil {
		for _, zone := range e.Hints.ForZones[:min(len(e.Hints.ForZones), maxForZones)] {
			if len(zone.Name) <= maxZone {
				to.ForZones = append(to.ForZones, zone.Name)
			}
		}
	}
	if to.Zone == "" && to.ForZones == nil {
		return without
	}
	var room [128]byte
	key := append(room[:0], byte(index(to.NotServing)), byte(index(to.Terminating)))
	key = append(key, to.Zone...)
	for _, zone := range to.ForZones {
		key = append(append(key, 0), zone...)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if known, ok := in.known[string(key)]; ok {
		return known
	}
	if len(in.known) >= maxDetails {
		return without
	}
	if in.known == nil {
		in.known = make(map[string]*model.EndpointDetail)
	}
	kept := to
	in.known[string(key)] = &kept
	return &kept
}

func index(condition bool) int {
	if condition {
		return 1
	}
	return 0
}
