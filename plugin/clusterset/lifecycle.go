package clusterset

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
)

// startTimeout bounds how long CoreDNS's start waits for the API, as its
// kubernetes plugin does: without an API the other zones are served.
const startTimeout = 5 * time.Second

// start begins watching the ClusterSet. It does so when the Corefile is read, not
// at OnStartup: what a reload's old instance knows, the new one knows before it
// is asked anything. A file must be good; a ConfigMap may be missing or bad, and
// is waited for.
func (p *Clusterset) start() error {
	api, err := discovery.NewAPI(p.options.kubeconfig, p.options.context)
	if err != nil && (p.options.file == "" || !errors.Is(err, discovery.ErrNoAPI)) {
		return err
	}
	if p.options.file == "" {
		p.feed = discovery.FromConfigMap(api, p.options.configMap, observeUpdate)
		p.run(api)
		return nil
	}
	if p.feed, err = discovery.FromFile(p.options.file, observeUpdate); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if !p.feed.Wait(ctx) {
		p.feed.Release()
		return errors.New(p.options.file + ": not read within " + startTimeout.String())
	}
	if last, _ := p.feed.Last(); last.Set == nil {
		p.feed.Release()
		return last.Err
	}
	p.run(api)
	return nil
}

// run has a Manager follow the feeds, until stop.
func (p *Clusterset) run(api *discovery.API) {
	o := p.forMembers()
	o.API = api
	p.resolver.Options = p.forResolver()
	p.manager = members.NewManager(o)
	if p.options.local == "" && api != nil {
		p.names = api.ClusterName()
	}
	p.manager.Follow(p.feed, p.names)
	starting.add(p)
	running.add(p)
	p.stop = sync.OnceFunc(func() {
		running.remove(p)
		if p.stopStatus != nil {
			p.stopStatus()
		}
		p.manager.Close()
	})
}

// wait holds up CoreDNS's start until it is known what there is to answer from:
// the ClusterSet, TLS credentials, which member is local, and the members' data.
func (p *Clusterset) wait() error {
	ctx, cancel := context.WithDeadline(context.Background(), starting.deadline())
	defer cancel()
	p.feed.Wait(ctx)
	if s := p.resolver.Members(); s != nil { // else there is nothing to wait for now
		if p.names != nil {
			p.names.Wait(ctx)
		}
		p.manager.WaitCredentials(ctx)
		p.waitData(ctx)
	}
	if missing := p.missing(); len(missing) == 0 || ctx.Err() != nil {
		p.readiness.settle(missing)
	}
	return nil
}

// shutdown ends the watching. The old instance of a reload goes on answering
// from its last members until its server has stopped.
func (p *Clusterset) shutdown() error {
	starting.remove(p)
	p.stop()
	return nil
}
