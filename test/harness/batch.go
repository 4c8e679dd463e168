//go:build e2e

package harness

import (
	"os"
	"regexp"
)

// serverBlock is the line that begins a server block, and none of a snippet.
var serverBlock = regexp.MustCompile(`(?m)^[^\s(#}].*\{$`)

// batched returns a Corefile whose servers read in batches, if BATCH says so: then a suite's servers
// answer all that it asks by way of plugin/batch.
func batched(corefile string) string {
	if os.Getenv("BATCH") == "" {
		return corefile
	}
	return serverBlock.ReplaceAllString(corefile, "$0\n    batch")
}
