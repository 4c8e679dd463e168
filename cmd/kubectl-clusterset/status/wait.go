package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// waitPause is between two looks.
const waitPause = time.Second

// waiting looks until all is well, for as long as the user said. What it waits for is said
// once, and again when it is something else.
func (v *command) waiting(ctx context.Context) error {
	start := time.Now()
	end := time.NewTimer(v.wait)
	defer end.Stop()
	pause := time.NewTicker(waitPause)
	defer pause.Stop()
	var last *Report
	said := ""
	for {
		r, why, err := v.settled(ctx)
		switch {
		case err != nil && last == nil:
			return err // it can't be reached, or isn't there
		case err != nil:
			why = err.Error()
		case why == "":
			return v.show(r)
		default:
			last = r
		}
		if why != said {
			said = why
			v.Progress("%s Waiting (%s) for %s", v.Mark("⌛", "..."), time.Since(start).Round(time.Second), why)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return v.gaveUp(last, said)
		case <-pause.C:
		}
	}
}

// settled looks once, and returns what is still waited for.
func (v *command) settled(ctx context.Context) (r *Report, why string, err error) {
	if r, err = v.look(ctx); err != nil {
		return nil, "", err
	}
	if why = r.unsettled(); why == "" {
		why = v.prove(ctx, r)
	}
	return r, why, nil
}

// gaveUp ends a wait in vain. That it is degraded at least is what an exit code of 0 would
// deny.
func (v *command) gaveUp(last *Report, why string) error {
	err := v.show(last)
	code := cli.Degraded
	if exit := (*cli.ExitError)(nil); errors.As(err, &exit) {
		if exit.Err != nil {
			return err
		}
		code = exit.Code
	}
	return &cli.ExitError{Code: code, Err: fmt.Errorf("not within %v: waited for %s", v.wait, why)}
}

// unsettled is what is still waited for, "" when all replicas that there are to be have the
// documents of now in force, and see every member in good health. A replica that isn't
// there yet may still not know a member.
func (r *Report) unsettled() string {
	if r.Answering < r.Wanted || len(r.Replicas) != r.Wanted {
		for _, replica := range r.Replicas {
			if replica.Error != "" {
				return fmt.Sprintf("replica %s: %s", replica.Name, replica.Error)
			}
		}
		return fmt.Sprintf("%d replicas, of which %d answer", r.Wanted, r.Answering)
	}
	for _, set := range r.Sets {
		if set.InForce < r.Wanted {
			return fmt.Sprintf("%s to be in force on every replica: it is on %d of %d", set.Source, set.InForce, r.Wanted)
		}
		for _, m := range set.Members {
			if m.Healthy < m.Replicas {
				return "member " + m.Name + r.why("member "+m.Name)
			}
		}
	}
	for _, replica := range r.Replicas {
		if on := r.waitsFor(&replica); on != "" {
			return fmt.Sprintf("replica %s to be ready: it waits for %s", replica.Name, on)
		}
	}
	return ""
}

// why is the first finding about something.
func (r *Report) why(about string) string {
	for _, f := range r.Findings {
		if f.About == about {
			return ": " + f.Text
		}
	}
	return ""
}

// prove has every replica look up a name of each member whose data it doesn't have: that
// its DNS is up is what a server believes until it has asked. It returns what is still
// waited for, "" for nothing.
func (*command) prove(ctx context.Context, r *Report) string {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	answers := replicas.All(ctx, r.asked, func(ctx context.Context, replica *replicas.Replica) (*string, error) {
		for _, q := range r.questions(replica.Name) {
			l, err := replica.Lookup(ctx, replicas.Question{Name: q.name, Type: "A"})
			if err != nil {
				return nil, err
			}
			if l.Rcode != dns.RcodeToString[dns.RcodeSuccess] && l.Rcode != dns.RcodeToString[dns.RcodeNameError] {
				return nil, fmt.Errorf("member %s doesn't answer: %s %s %s", q.member, q.name, l.Rcode, l.Error)
			}
		}
		return new(string), nil
	})
	for _, a := range answers {
		if a.Err != nil {
			return quoted.Ends(fmt.Sprintf("replica %s: %v", a.Replica.Name, a.Err), maxText)
		}
	}
	return ""
}

type question struct{ member, name string }

// questions are those that prove that members' DNS answer a replica: for a name that every
// cluster has, or whose absence its DNS says.
func (r *Report) questions(name string) (all []question) {
	at := slices.IndexFunc(r.Replicas, func(replica Replica) bool { return replica.Name == name })
	for _, s := range r.Replicas[at].Status.Stanzas {
		zone := slices.IndexFunc(s.Zones, func(z status.Zone) bool { return z.Kind == status.ClusterZone })
		if zone < 0 {
			continue
		}
		for _, m := range s.Members {
			if m.Data == nil || m.Data.State != status.Fresh {
				all = append(all, question{m.Name, "kubernetes.default.svc." + m.Name + "." + s.Zones[zone].Name})
			}
		}
	}
	return all
}
