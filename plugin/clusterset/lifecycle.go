package clusterset

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
)

// startTimeout bounds how long CoreDNS's start waits for the ConfigMap, as its
// kubernetes plugin waits for the API: without an API the other zones are served.
const startTimeout = 5 * time.Second

// start begins watching the ClusterSet. A file must be good; a ConfigMap may be
// missing or bad, and is waited for.
func (p *Clusterset) start() error {
	api, err := discovery.NewAPI(p.options.kubeconfig, p.options.context)
	if err != nil && (p.options.file == "" || !errors.Is(err, discovery.ErrNoAPI)) {
		return err
	}
	feed, err := p.source(api)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	feed.Wait(ctx)
	if last := feed.Last(); p.options.file != "" && last.Set == nil {
		feed.Release()
		return last.Err
	}
	p.run(api, feed)
	return nil
}

func (p *Clusterset) source(api *discovery.API) (*discovery.Feed, error) {
	if p.options.file != "" {
		return discovery.FromFile(p.options.file, observeUpdate)
	}
	return discovery.FromConfigMap(api, p.options.configMap, observeUpdate)
}

// run takes up what the feed says, until stop.
func (p *Clusterset) run(api *discovery.API, feed *discovery.Feed) {
	p.feed = feed
	p.builder = newBuilder(&p.options, api, p.snapshot.Store)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	if p.options.local == "" && api != nil {
		tasks.Go(func() { api.WatchClusterName(ctx, p.builder.setLocal) })
	}
	unsubscribe := feed.Subscribe(func(u discovery.Update) {
		if u.Set != nil {
			p.builder.setClusterSet(u.Set)
		}
	})
	p.stop = func() {
		cancel()
		unsubscribe()
		tasks.Wait()
		p.builder.close()
		feed.Release()
	}
}

// shutdown ends the watching. The old instance of a reload goes on answering
// from its last snapshot until its server has stopped.
func (p *Clusterset) shutdown() error {
	if p.stop != nil {
		p.stop()
	}
	return nil
}
