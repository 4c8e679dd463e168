package member

// Reason is what kind of trouble there is: a label of the metrics.
type Reason uint8

// The reasons.
const (
	// Unreachable: no connection, or one that broke.
	Unreachable Reason = iota
	// Timeout: a connection, and no answer in time.
	Timeout
	// TLS: the server's certificate isn't to be trusted, or ours isn't taken.
	TLS
	// Unauthorized: the API doesn't take the credentials (401).
	Unauthorized
	// Forbidden: RBAC doesn't allow what is needed (403).
	Forbidden
	// ServerError: any other answer that isn't what was asked for.
	ServerError
	// WatchSilent: a watch that tells nothing while the API is alive.
	WatchSilent
	// BadKubeconfig: no usable credentials.
	BadKubeconfig
	// Replaced: another cluster answers at the same address.
	Replaced

	// Reasons is how many there are.
	Reasons
)

// String is the metrics' label.
func (r Reason) String() string {
	return [...]string{
		"unreachable", "timeout", "tls", "unauthorized", "forbidden", "server_error",
		"watch_silent", "bad_kubeconfig", "replaced",
	}[r]
}
