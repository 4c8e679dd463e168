package member

import (
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Status returns the state of the Member. It takes no lock.
func (m *Member) Status() status.Data {
	v := m.View()
	s := status.Data{State: status.DataState(v.State.String()), Since: v.began, DataDetails: *m.details.Load()}
	if v.State == Stale {
		s.Since = v.Since
	}
	s.Services, s.EndpointSlices = v.Data.Count()
	if v.Err != nil {
		s.Error = v.Err.Error()
	}
	return s
}

// publishDetails makes the details of the status those of now. It is called under the
// Member's lock, by all that changes them.
func (m *state) publishDetails() {
	d := status.DataDetails{Conditions: m.conditions.Status(), Resources: make([]status.Resource, len(m.resources))}
	s := m.live
	if s == nil {
		s = m.connected
	}
	for n, r := range m.resources {
		d.Resources[n].Name = r.Name
		if s == nil {
			continue
		}
		i := s.informers[n]
		d.Resources[n].Listed, d.Resources[n].Watched = i.listed && !i.absent, i.watched && !i.absent
		if i.failure != nil {
			d.Resources[n].Error = i.failure.Error()
		}
	}
	if old := m.details.Load(); old == nil || old.Conditions != d.Conditions || !slices.Equal(old.Resources, d.Resources) {
		m.details.Store(&d)
	}
}
