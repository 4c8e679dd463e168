package clusterset

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
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

// run takes up what the feeds say, until stop.
func (p *Clusterset) run(api *discovery.API) {
	p.builder = newBuilder(&p.options, api, p.snapshot.Store)
	stopNames := func() {}
	if p.options.local == "" && api != nil {
		p.names = api.ClusterName()
		stopNames = subscribe(p.names, p.builder.setLocal)
	}
	stopSets := subscribe(p.feed, func(u discovery.Update) {
		if u.Set != nil {
			p.builder.setClusterSet(u.Set)
		}
	})
	unborn.add(p)
	p.stop = sync.OnceFunc(func() {
		stopSets()
		stopNames()
		p.builder.close()
	})
}

// subscribe calls take with the feed's value, if there is one, and with each that
// follows, until stop, which also releases the feed.
func subscribe[T any](feed *discovery.Feed[T], take func(T)) (stop func()) {
	return subscribeBy(feed, take, func(take func()) { take() })
}

// subscribeBy is subscribe that has do call take with the value there is.
func subscribeBy[T any](feed *discovery.Feed[T], take func(T), do func(func())) (stop func()) {
	var first sync.Mutex // what follows waits for what there is
	first.Lock()
	value, known, cancel := feed.Subscribe(func(next T) {
		first.Lock()
		defer first.Unlock()
		take(next)
	})
	do(func() {
		defer first.Unlock()
		if known {
			take(value)
		}
	})
	return func() {
		cancel()
		feed.Release()
	}
}

// wait holds up CoreDNS's start until it is known what there is to answer from:
// the ClusterSet, TLS material, which member is local, and the members' data.
func (p *Clusterset) wait() error {
	ctx, cancel := context.WithDeadline(context.Background(), unborn.deadline())
	defer cancel()
	p.feed.Wait(ctx)
	if s := p.snapshot.Load(); s != nil { // else there is nothing to wait for now
		if p.names != nil {
			p.names.Wait(ctx)
		}
		p.builder.waitMaterial(ctx)
		p.waitData(ctx)
	}
	if missing := p.missing(); len(missing) == 0 || ctx.Err() != nil {
		p.readiness.settle(missing)
	}
	return nil
}

// shutdown ends the watching. The old instance of a reload goes on answering
// from its last snapshot until its server has stopped.
func (p *Clusterset) shutdown() error {
	unborn.remove(p)
	p.stop()
	return nil
}
