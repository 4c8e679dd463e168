package controlplane

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
)

const usage = "usage: kube up --dir DIR [--fast-services] NAME[=CIDR[,CIDR]]..."

// clusterName is a member's name as the ClusterSet document takes it: one or
// two RFC 1123 labels. It is also a file name and an etcd prefix here.
var clusterName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$`)

type options struct {
	dir          string // absolute
	fastServices bool
	clusters     []spec
}

// spec is one cluster of the command line.
type spec struct {
	name         string
	serviceCIDRs string // as the API server takes them: one, or two with a comma
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("kube up", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.dir, "dir", "", "")
	flags.BoolVar(&o.fastServices, "fast-services", false, "")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("%w\n%s", err, usage)
	}
	if o.dir == "" || flags.NArg() == 0 {
		return o, errors.New(usage)
	}
	seen := map[string]bool{}
	for i, arg := range flags.Args() {
		s, err := parseSpec(i, arg)
		if err != nil {
			return o, err
		}
		if seen[s.name] {
			return o, fmt.Errorf("cluster %q is given twice", s.name)
		}
		seen[s.name] = true
		o.clusters = append(o.clusters, s)
	}
	var err error
	o.dir, err = filepath.Abs(o.dir)
	return o, err
}

// parseSpec reads NAME[=CIDR[,CIDR]]. Without a CIDR the i-th cluster gets
// 10.(101+i).0.0/16, so that clusters differ.
func parseSpec(i int, arg string) (spec, error) {
	name, cidrs, given := strings.Cut(arg, "=")
	if !clusterName.MatchString(name) {
		return spec{}, fmt.Errorf("%q: a cluster's name is one or two RFC 1123 labels", name)
	}
	if !given {
		cidrs = fmt.Sprintf("10.%d.0.0/16", 101+i)
	}
	for cidr := range strings.SplitSeq(cidrs, ",") {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return spec{}, fmt.Errorf("cluster %q: %w", name, err)
		}
	}
	return spec{name, cidrs}, nil
}
