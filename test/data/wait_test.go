//go:build e2e

package data

import (
	"time"
)

const (
	// seen bounds the time from a change to its being seen in answers. The goal
	// is 100 ms; the machine that runs this does other things too.
	seen = time.Second
	// noticed and recovered are the man page's: a partition is noticed within 10
	// seconds, and data are fresh within 5 of the API's return.
	noticed   = 10 * time.Second
	recovered = 5 * time.Second
	// settled bounds what an API server and its controllers do soon after a
	// write: rights take effect, pods get into slices.
	settled = 15 * time.Second
)
