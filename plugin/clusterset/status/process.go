package status

import "time"

// Process is a whole program: what GET /status.json responds.
type Process struct {
	// Version is the program's, as `coredns -version` has it.
	Version string `json:"version"`
	// Host is the machine's name: in Kubernetes, the pod's.
	Host string `json:"host"`
	// Time is when this was made, by the program's clock.
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
	// Stanzas are the clusterset stanzas of the Corefile whose status is served at this
	// address, in its order.
	Stanzas []Stanza `json:"stanzas"`
}

// Stanza is one of the Corefile.
type Stanza struct {
	Zones    []Zone `json:"zones"`
	Mode     string `json:"mode"`
	Exports  string `json:"exports"`
	Affinity string `json:"affinity"`
	// Local is the member that this server runs in, "" where that isn't known.
	Local string `json:"local,omitempty"`
	// Ready is what the ready plugin is told, Waiting what isn't there yet.
	Ready    bool     `json:"ready"`
	Waiting  []string `json:"waiting,omitempty"`
	Document Document `json:"document"`
	// Overlaps are pairs of members whose CIDRs overlap, a sentence each.
	Overlaps []string `json:"overlaps,omitempty"`
	Policies []Policy `json:"policies,omitempty"`
	// Imports are the local API's ServiceImports, nil where they aren't watched.
	Imports *Data `json:"imports,omitempty"`
	Cache   Cache `json:"cache"`
	// Members are those in force, sorted by name.
	Members []Member `json:"members"`
}

// Zone is one that a stanza answers for.
type Zone struct {
	Name string   `json:"name"`
	Kind ZoneKind `json:"kind"`
}

// ZoneKind is what the names in a zone mean.
type ZoneKind string

// The kinds.
const (
	ClusterZone    ZoneKind = "cluster"
	ClustersetZone ZoneKind = "clusterset"
	ReverseZone    ZoneKind = "reverse"
)

// Policy is one of the document's, as it is in force.
type Policy struct {
	Services []string       `json:"services"`
	Allow    []string       `json:"allow,omitempty"`
	Affinity string         `json:"affinity,omitempty"`
	Weights  map[string]int `json:"weights,omitempty"`
	Failover []string       `json:"failover,omitempty"`
}
