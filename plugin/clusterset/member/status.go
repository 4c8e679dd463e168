package member

import (
	"slices"
	"time"
)

// Status is the state of a member's data, for a person or a program to read. It has no
// credential and no address.
type Status struct {
	State State `json:"state"`
	// Since is when the state began; of stale data, when the API was last proven alive.
	Since          time.Time `json:"since"`
	Services       int       `json:"services"`
	EndpointSlices int       `json:"endpointSlices"`
	// Error is why the data aren't fresh, "" where they are.
	Error string `json:"error,omitempty"`

	details
}

// details are the part of a Status that doesn't change with each event.
type details struct {
	conditionsStatus
	// Resources are what is watched. ServiceExports, and ServiceImports, are neither listed
	// nor watched where the API doesn't serve them.
	Resources []ResourceStatus `json:"resources"`
}

// conditionsStatus is what a Status has of the conditions.
type conditionsStatus struct {
	// LastError is the newest failure, which may be over.
	LastError     string    `json:"lastError,omitempty"`
	LastErrorTime time.Time `json:"lastErrorTime,omitzero"`
	// Refused is what the API sent that is too large, "" where it is accepted.
	Refused     string            `json:"refused,omitempty"`
	Credentials CredentialsStatus `json:"credentials"`
}

// CredentialsStatus is what is known of a member's credentials.
type CredentialsStatus struct {
	// Kind is "token" or "client certificate", whichever expires first; "" where that isn't
	// known.
	Kind    string    `json:"kind,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	// Insecure is set where the server's certificate isn't verified.
	Insecure bool `json:"insecure,omitempty"`
	// Error is why the newest ones aren't used.
	Error string `json:"error,omitempty"`
}

// ResourceStatus is the state of what is watched of one resource.
type ResourceStatus struct {
	Name    string `json:"name"`
	Listed  bool   `json:"listed"`
	Watched bool   `json:"watched"`
	Error   string `json:"error,omitempty"`
}

// MarshalText returns the word that String does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Status returns the state of the Member. It takes no lock.
func (m *Member) Status() Status {
	v := m.View()
	s := Status{State: v.State, Since: v.began, details: *m.details.Load()}
	if v.State == Stale {
		s.Since = v.Since
	}
	s.Services, s.EndpointSlices = v.Data.Count()
	if v.Err != nil {
		s.Error = v.Err.Error()
	}
	return s
}

// publishDetails makes the details of the Status those of now. It is called under the
// Member's lock, by all that changes them.
func (m *state) publishDetails() {
	d := details{m.conditions.status(), make([]ResourceStatus, len(m.resources))}
	s := m.live
	if s == nil {
		s = m.connected
	}
	for n, r := range m.resources {
		d.Resources[n].Name = r.name
		if s == nil {
			continue
		}
		i := s.informers[n]
		d.Resources[n].Listed, d.Resources[n].Watched = i.listed && !i.absent, i.watched && !i.absent
		if i.failure != nil {
			d.Resources[n].Error = i.failure.Error()
		}
	}
	if old := m.details.Load(); old == nil || old.conditionsStatus != d.conditionsStatus || !slices.Equal(old.Resources, d.Resources) {
		m.details.Store(&d)
	}
}

func (c *conditions) status() (d conditionsStatus) {
	d.LastError, d.LastErrorTime = c.lastError, c.lastTime
	if f := c.failed[aboutAPI]; f != nil && f.reason == TooLarge {
		d.Refused = quote(f.err.Error())
		if f.resource != "" {
			d.Refused = f.resource + ": " + d.Refused
		}
	}
	d.Credentials = CredentialsStatus{Kind: c.expiry.What, Expires: c.expiry.End, Insecure: c.insecure}
	if f := c.failed[aboutKubeconfig]; f != nil {
		d.Credentials.Error = f.Error()
	}
	return d
}
