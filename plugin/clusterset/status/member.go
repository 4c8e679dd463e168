package status

import "time"

// Member is one cluster as it is seen from here.
type Member struct {
	Name          string   `json:"name"`
	Local         bool     `json:"local,omitempty"`
	Network       string   `json:"network,omitempty"`
	Region        string   `json:"region,omitempty"`
	Zone          string   `json:"zone,omitempty"`
	ClusterDomain string   `json:"clusterDomain"`
	ServiceCIDRs  []string `json:"serviceCIDRs"`
	PodCIDRs      []string `json:"podCIDRs,omitempty"`
	Gateways      []string `json:"gateways,omitempty"`
	// Reach is what of it clients here can connect to, in the order to prefer.
	Reach []string `json:"reach,omitempty"`
	// Health sums up the rest, and Reason says why it isn't OK.
	Health Health `json:"health"`
	Reason string `json:"reason,omitempty"`
	// DNS is nil where its names are looked up inside this server, Data where it has no
	// kubeconfig, Gateway where nothing is probed.
	DNS     *DNS     `json:"dns,omitempty"`
	Data    *Data    `json:"data,omitempty"`
	Gateway *Gateway `json:"gateway,omitempty"`
	Cache   Cache    `json:"cache"`
	// Recent are samples of the last minutes, oldest first.
	Recent []Sample `json:"recent,omitempty"`
}

// Health is a member's.
type Health string

// The healths.
const (
	// OK is for a member of which everything that it is configured with works.
	OK Health = "ok"
	// Degraded is for one whose names are answered, though not everything works.
	Degraded Health = "degraded"
	// Failed is for one whose names can't be answered now, but from what is stale.
	Failed Health = "failed"
	// Unknown is for one of which nothing has been heard yet.
	Unknown Health = "unknown"
)

// Sample is what was seen of a member's DNS in the seconds before Time.
type Sample struct {
	Time     time.Time `json:"time"`
	Queries  int       `json:"queries"`
	Failures int       `json:"failures"`
	// MedianSeconds and P95Seconds are of late, 0 is not known.
	MedianSeconds float64 `json:"medianSeconds"`
	P95Seconds    float64 `json:"p95Seconds"`
}

// DNS is how a member's DNS is asked.
type DNS struct {
	Upstreams []Upstream `json:"upstreams"`
	// InFlight is how many queries count in the bound of those in flight.
	InFlight int `json:"inFlight"`
}

// Upstream is one address of a member's DNS.
type Upstream struct {
	Address string        `json:"address"`
	State   UpstreamState `json:"state"`
	// Since is when it came into that state; an upstream is up to begin with.
	Since time.Time `json:"since"`
	// Error is why it is down or ejected. Its text may come from outside; it is escaped.
	Error string `json:"error,omitempty"`
	// Half of the replies take no longer than MedianSeconds, and 95 of 100 no longer than
	// P95Seconds, of late; 0 is not known.
	MedianSeconds float64 `json:"medianSeconds"`
	P95Seconds    float64 `json:"p95Seconds"`
	// EDNS and Streams are false where it turned out not to support them.
	EDNS    bool `json:"edns"`
	Streams bool `json:"streams"`
	// InFlight is how many messages are.
	InFlight int `json:"inFlight"`
}

// UpstreamState is an upstream's.
type UpstreamState string

const (
	// Up is for one that is asked in turn.
	Up UpstreamState = "up"
	// Ejected is for one that is asked when the others let a query down.
	Ejected UpstreamState = "ejected"
	// Down is for one that is probed, and asked as a last resort.
	Down UpstreamState = "down"
)

// Gateway is a member's, as its probe sees it.
type Gateway struct {
	// URL is the one that is probed, without user, password and query.
	URL   string `json:"url"`
	Alive bool   `json:"alive"`
	// Since is when it died, or came back; at first, when the probing began.
	Since time.Time `json:"since"`
	// Error is why the last probe failed, "" where it didn't.
	Error string `json:"error,omitempty"`
	// Failures are the probes that have failed in a row.
	Failures int `json:"failures,omitempty"`
}

// Cache is what a cache of answers, or a member's part of one, holds.
type Cache struct {
	Positive CacheKind `json:"positive"`
	Negative CacheKind `json:"negative"`
}

// CacheKind is of the answers of one kind. An answer weighs one for each started KiB.
type CacheKind struct {
	Entries int `json:"entries"`
	Weight  int `json:"weight"`
	// Capacity is the most that they may weigh: of a member, what no other one can take,
	// though it may have more while there is room.
	Capacity int `json:"capacity"`
}
