package join

import (
	"context"
	"errors"
	"fmt"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// here is a cluster that is to know members.
type here struct {
	cluster *objects.Cluster
	local   objects.Local
}

// joiner runs the command.
type joiner struct {
	*cli.Context
	*options
	warned map[string]bool // each is said once
	made   []side          // what is shown as data
	count  map[objects.Outcome]int
	parts  []part // of the member that is being joined
}

func run(ctx context.Context, c *cli.Context, o *options, args []string) error {
	j := &joiner{Context: c, options: o, warned: make(map[string]bool), count: make(map[objects.Outcome]int)}
	locals, members, err := j.connect(ctx, args)
	if err != nil {
		return err
	}
	var failed []error
	for _, h := range locals {
		for _, m := range members {
			if err := j.join(ctx, h, m); err != nil {
				failed = append(failed, fmt.Errorf("%s isn't joined to %s: %w", m.name, h.cluster, err))
			}
		}
	}
	if err := j.print(locals, members, len(failed) == 0); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	if len(j.warned) > 0 {
		return cli.Exit(cli.Degraded)
	}
	return nil
}

// connect reads all clusters before anything is made in one of them.
func (j *joiner) connect(ctx context.Context, args []string) (locals []*here, members []*member, err error) {
	if len(j.contexts) == 0 {
		return j.connectOne(ctx, args[0])
	}
	for i, name := range j.contexts {
		cluster, err := objects.Connect(ctx, j.Context, name)
		if err != nil {
			return nil, nil, err
		}
		h, err := j.here(ctx, cluster)
		if err != nil {
			return nil, nil, err
		}
		m, err := j.member(ctx, j.names[i], cluster, true)
		if err != nil {
			return nil, nil, err
		}
		locals, members = append(locals, h), append(members, m)
	}
	return locals, members, nil
}

func (j *joiner) connectOne(ctx context.Context, name string) ([]*here, []*member, error) {
	cluster, err := objects.Connect(ctx, j.Context, "")
	if err != nil {
		return nil, nil, err
	}
	h, err := j.here(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	var there *objects.Cluster
	if j.fromContext != "" {
		if there, err = objects.Connect(ctx, j.Context, j.fromContext); err != nil {
			return nil, nil, err
		}
	}
	m, err := j.member(ctx, name, there, there != nil && there.UID != cluster.UID)
	return []*here{h}, []*member{m}, err
}

func (j *joiner) here(ctx context.Context, cluster *objects.Cluster) (*here, error) {
	local, note, err := cluster.FindLocal(ctx, j.configMap)
	if err != nil {
		return nil, err
	}
	if note != "" {
		j.warn("%s", note)
	}
	if j.image != "" {
		local.Image = j.image
	}
	return &here{cluster, local}, nil
}

// member reads what the member's entry has. Another cluster's API must be one that can be
// reached from there.
func (j *joiner) member(ctx context.Context, name string, cluster *objects.Cluster, another bool) (*member, error) {
	m, err := j.readMember(ctx, name, cluster)
	if err != nil {
		return nil, err
	}
	for _, note := range m.notes {
		j.Progress("note: %s: %s", name, note)
	}
	if another && !j.dnsOnly {
		return m, j.checkServer(m)
	}
	return m, nil
}

func (j *joiner) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !j.warned[text] {
		j.warned[text] = true
		j.Progress("warning: %s", text)
	}
}
