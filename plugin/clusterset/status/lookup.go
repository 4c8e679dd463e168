package status

// Lookup is how one question was answered: what GET /lookup responds.
type Lookup struct {
	// Name is the question's, with its final dot, Type as "A", and Client an address.
	Name   string `json:"name"`
	Type   string `json:"type"`
	Client string `json:"client"`
	// Zone is the one that holds the name, "" is none.
	Zone string   `json:"zone,omitempty"`
	Kind ZoneKind `json:"kind,omitempty"`
	// Member is whose name it is, "" where it is of none, or of all.
	Member string `json:"member,omitempty"`
	// Source is where the answer came from, as in metrics: data, cache, forward, ...
	Source string `json:"source,omitempty"`
	// Next is set where the question is passed on to the next plugin; the rest is then empty.
	Next bool `json:"next,omitempty"`

	Rcode         string `json:"rcode,omitempty"`
	Authoritative bool   `json:"authoritative,omitempty"`
	Truncated     bool   `json:"truncated,omitempty"`
	// The records are in presentation format.
	Answer     []string `json:"answer,omitempty"`
	Authority  []string `json:"authority,omitempty"`
	Additional []string `json:"additional,omitempty"`
	// ExtendedError is what a client that sent EDNS is told (RFC 8914), nil is nothing.
	ExtendedError *ExtendedError `json:"extendedError,omitempty"`
	// Error is what went wrong, StaleReason why a stale answer was given.
	Error       string `json:"error,omitempty"`
	StaleReason string `json:"staleReason,omitempty"`

	// Cache is "hit", "miss", or "" where the cache wasn't used.
	Cache string `json:"cache,omitempty"`
	// Upstream is the one whose reply it is.
	Upstream string    `json:"upstream,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"`
	// Rule is what decided which members answer a clusterset-wide name, Candidates are the
	// members that were considered.
	Rule       string      `json:"rule,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
	// Excluded counts the records that were left out, by why.
	Excluded map[string]int `json:"excluded,omitempty"`
	// Steps are how it was found, a sentence each.
	Steps   []string `json:"steps"`
	Seconds float64  `json:"seconds"`
}

// ExtendedError is one of RFC 8914.
type ExtendedError struct {
	Code uint16 `json:"code"`
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
}

// Attempt is one message to one upstream.
type Attempt struct {
	Member   string  `json:"member"`
	Upstream string  `json:"upstream"`
	Proto    string  `json:"proto"`
	Seconds  float64 `json:"seconds"`
	Replied  bool    `json:"replied"`
	Error    string  `json:"error,omitempty"`
}

// Candidate is a member that was considered for a clusterset-wide name.
type Candidate struct {
	Member  string `json:"member"`
	Answers bool   `json:"answers"`
	// Reason is why it answers or doesn't, in the words of metrics.
	Reason string `json:"reason"`
}
