package clusterset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// processStart is when the pod began to start, as far as it is seen from here.
var processStart = time.Now()

// readiness is whether this instance is ready: it is when there is a ClusterSet and
// its members' data are there, and in any case startTimeout after the process's start.
// Other zones are served by this CoreDNS too, those of its own cluster before all, and
// they don't wait for a document, an API or a member that may never come.
type readiness struct{ settled atomic.Bool }

// Ready implements the ready plugin's Readiness.
func (p *Clusterset) Ready() bool {
	if p.readiness.settled.Load() {
		return true
	}
	missing := p.missing()
	if len(missing) > 0 && time.Since(processStart) < startTimeout {
		return false
	}
	p.readiness.settle(missing)
	return true
}

// missing is what answers need and isn't there.
func (p *Clusterset) missing() []string {
	set := p.resolver.Members()
	if set == nil {
		return []string{"configmap " + p.options.configMap.String()} // a file is there, or CoreDNS isn't
	}
	return unsynced(set)
}

func (r *readiness) settle(missing []string) {
	if !r.settled.Swap(true) && len(missing) > 0 {
		log.Warningf("Ready after %s without %s: still waiting", startTimeout, listed(missing))
	}
}

// maxListed bounds a log line.
const maxListed = 10

func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, ... and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

// watched returns the data that answers come from, by what they are called.
func watched(set *members.Set) map[string]members.Data {
	all := make(map[string]members.Data)
	for name, m := range set.All() {
		if m.Data != nil {
			all["data of "+name] = m.Data
		}
	}
	if set.Imports != nil {
		all["ServiceImports"] = set.Imports
	}
	return all
}

// unsynced returns the data that are still waited for.
func unsynced(set *members.Set) []string {
	var names []string
	for name, data := range watched(set) {
		if data.Status().State == status.Unsynced {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// waitData holds CoreDNS's start until data are there, or ctx ends.
func (p *Clusterset) waitData(ctx context.Context) {
	set := p.resolver.Members()
	if waiting := unsynced(set); len(waiting) > 0 {
		log.Infof("Waiting for %s", listed(waiting))
	}
	for _, data := range watched(set) {
		select {
		case <-data.Synced():
		case <-ctx.Done():
			return
		}
	}
}
