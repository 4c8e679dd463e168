package harness

import (
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
)

// BuildCoreDNS builds the CoreDNS under test at path. It does so as the test was built, with
// the race detector or without, so that nothing of it is compiled twice: all of CoreDNS
// takes minutes.
func BuildCoreDNS(path string) error {
	args := []string{"build", "-ldflags", "-s -w", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/coredns-clusterset/clusterset/cmd/coredns")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
