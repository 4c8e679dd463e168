package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

var (
	completed = regexp.MustCompile(`Queries completed:\s+(\d+) `)
	noError   = regexp.MustCompile(`NOERROR \d+ \((\S+)%\)`)
)

// dnsperf asks the server for d and gives how many queries were answered. Another
// answer than NOERROR spoils the measurement.
func (s *server) dnsperf(ctx context.Context, dir, questions string, d time.Duration) (int, error) {
	cmd := exec.CommandContext(ctx, "dnsperf", "-s", s.address, "-p", port, "-d", questions,
		"-l", fmt.Sprint(d.Seconds()), "-c", "4", "-T", "1", "-q", "100")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("dnsperf: %w\n%s", err, out)
	}
	count := completed.FindSubmatch(out)
	good := noError.FindSubmatch(out)
	if count == nil || good == nil || string(good[1]) != "100.00" {
		return 0, fmt.Errorf("not every answer is NOERROR:\n%s", out)
	}
	return strconv.Atoi(string(count[1]))
}
