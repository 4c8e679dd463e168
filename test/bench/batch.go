package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// batched ends the name of a contender that has batch in its server block.
const batched = ", batch"

// without is the contender's name without batch.
func (c contender) without() string { return strings.TrimSuffix(c.name, batched) }

// knowsBatch reports whether the binary has the plugin.
func knowsBatch(coredns string) (bool, error) {
	plugins, err := exec.Command(coredns, "-plugins").Output()
	if err != nil {
		return false, fmt.Errorf("%s -plugins: %w; run make", coredns, err)
	}
	return slices.Contains(strings.Fields(string(plugins)), "batch"), nil
}
