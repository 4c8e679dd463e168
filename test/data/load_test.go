//go:build e2e

package data

import (
	"os"
	"time"
)

// rate is the queries per second for each server: enough that any gap is hit, and
// a part of what the machine can do.
const rate = 2000

// long makes outages as long as those that operators see.
const long = "CLUSTERSET_LONG"

// outageUnderLoad is how long an API is away under load.
func outageUnderLoad() time.Duration {
	if os.Getenv(long) == "1" {
		return 2 * time.Minute
	}
	return 20 * time.Second
}
