package status

import "time"

// Data is the state of a member's data.
type Data struct {
	State DataState `json:"state"`
	// Since is when the state began; of stale data, when the API was last proven alive.
	Since          time.Time `json:"since"`
	Services       int       `json:"services"`
	EndpointSlices int       `json:"endpointSlices"`
	// Error is why the data aren't fresh, "" where they are.
	Error string `json:"error,omitempty"`

	DataDetails
}

// DataState is how far a member's data can be trusted.
type DataState string

// The states.
const (
	Unsynced DataState = "unsynced"
	Fresh    DataState = "fresh"
	Stale    DataState = "stale"
)

// DataDetails are the part of Data that doesn't change with each event.
type DataDetails struct {
	Conditions
	// Resources are what is watched. ServiceExports, and ServiceImports, are neither listed
	// nor watched where the API doesn't serve them.
	Resources []Resource `json:"resources"`
}

// Conditions are a member's troubles.
type Conditions struct {
	// LastError is the newest failure, which may be over.
	LastError     string    `json:"lastError,omitempty"`
	LastErrorTime time.Time `json:"lastErrorTime,omitzero"`
	// Refused is what the API sent that is too large, "" where it is accepted.
	Refused     string      `json:"refused,omitempty"`
	Credentials Credentials `json:"credentials"`
}

// Credentials is what is known of a member's credentials.
type Credentials struct {
	// Kind is "token" or "client certificate", whichever expires first; "" where that isn't
	// known.
	Kind    string    `json:"kind,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	// WarnFrom is when new ones should have come.
	WarnFrom time.Time `json:"warnFrom,omitzero"`
	// Insecure is set where the server's certificate isn't verified.
	Insecure bool `json:"insecure,omitempty"`
	// Error is why the newest ones aren't used.
	Error string `json:"error,omitempty"`
}

// Resource is the state of what is watched of one resource.
type Resource struct {
	Name    string `json:"name"`
	Listed  bool   `json:"listed"`
	Watched bool   `json:"watched"`
	Error   string `json:"error,omitempty"`
}
