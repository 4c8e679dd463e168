package model

// Mode is where answers about members come from.
type Mode uint8

const (
	// ModeAuto is data while they are fresh, else the member's DNS, else what is stale.
	ModeAuto Mode = iota
	// ModeForward is the member's DNS.
	ModeForward
	// ModeResolve is data, fresh or stale.
	ModeResolve
)

// Modes are the words of the Corefile.
var Modes = map[string]Mode{"auto": ModeAuto, "forward": ModeForward, "resolve": ModeResolve}

// String returns the Corefile's word.
func (m Mode) String() string { return [...]string{"auto", "forward", "resolve"}[m] }
