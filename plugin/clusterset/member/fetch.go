package member

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
)

// Bounds of fetching one Service with its slices.
const (
	fetchTime = 10 * time.Second
	// maxFetched is for its slices: of 100 endpoints each, as Kubernetes makes them.
	maxFetched = 10_000
	// maxTouched is for the items that have events during a fetch; with more it is repeated.
	maxTouched = 1000
)

// aboutFetches is what a condition of failed fetches is about.
const aboutFetches = "fetches of exported services"

// fetchMissing fetches what is missing, one Service at a time, until the session ends.
func (o *onlyExported) fetchMissing() {
	again := backoff.Growing{Least: firstPause, Most: optionalMost}
	for o.ctx.Err() == nil {
		key := o.nextMissing()
		if key == "" {
			select {
			case <-o.wakeFetch:
			case <-o.ctx.Done():
			}
			continue
		}
		items, err := o.fetch(key)
		if !o.apply(key, items, err) {
			again.Reset()
			continue
		}
		backoff.Pause(o.ctx, again.Next())
	}
}

// nextMissing begins the fetch of any Service that is missing, and returns its Key; "" for
// none.
func (o *onlyExported) nextMissing() string {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	if o.over || !o.synced {
		return ""
	}
	for key := range o.missing {
		o.fetching, o.stale, o.touched = key, false, make(map[string]bool)
		return key
	}
	return ""
}

// fetched is what was fetched of a resource.
type fetched struct {
	of    *informer
	items []decode.Item
}

// fetch lists a Service's slices, and the Service. No resource version is asked for, so what
// comes is as new as every event that came before (a "consistent read").
func (o *onlyExported) fetch(key string) ([]fetched, error) {
	ctx, cancel := context.WithTimeout(o.ctx, fetchTime)
	defer cancel()
	all := []fetched{{of: o.informers[resources.EndpointSlices]}, {of: o.informers[resources.Services]}}
	for n := range all {
		f := &all[n]
		source, options := f.of.Source.OfService(resources.SplitKey(key))
		if err := f.list(ctx, o.client, source, options, key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// list keeps the objects that are the Service's, whatever the API sends.
func (f *fetched) list(ctx context.Context, c *apiclient.Client, source apiclient.Source, options metav1.ListOptions, key string) error {
	count := 0
	_, err := c.List(ctx, source, options, func(message []byte) (*decode.Object, error) {
		f.of.session.conns.CountObject()
		if count++; count > maxFetched {
			return nil, decode.TooLarge("a Service's objects", maxFetched)
		}
		object, err := f.of.Decode(message)
		if err != nil {
			return nil, err
		}
		item := object.Item
		item.Triggered = time.Time{} // it isn't a change of now
		if item.Service != nil && item.Key == key || item.Slice != nil && item.Slice.Service == key {
			f.items = append(f.items, item)
		}
		return object, nil
	})
	return err
}

// apply applies what was fetched, unless it may be older than what is known, and reports
// whether to try again later.
func (o *onlyExported) apply(key string, all []fetched, err error) (failed bool) {
	m := o.m
	m.mu.Lock()
	defer m.mu.Unlock()
	touched := o.touched
	o.fetching, o.touched = "", nil
	switch {
	case o.over || o.ctx.Err() != nil:
		return false
	case err != nil:
		o.fetchFailed(err)
		return true
	}
	m.conditions.Clear(aboutFetches)
	if o.stale {
		return false
	}
	delete(o.missing, key)
	if !o.wants(key) {
		return false
	}
	for _, f := range all { // slices first: their Service comes with them
		for _, item := range f.items {
			if touched[item.Key] || o.drops(f.of, item) { // its event is known, or still to come
				continue
			}
			if err := m.applyItem(f.of, item, false); err != nil {
				f.of.abortTooLarge(err)
			}
		}
	}
	return false
}

func (o *onlyExported) fetchFailed(err error) {
	f := failure.Of(err, "")
	switch {
	case f.Reason == failure.TooLarge:
		o.abort(f)
	case f.OfConnection():
		o.requestProbe()
	case o.m.newest == o.connector:
		o.m.conditions.Set(aboutFetches, f)
		o.m.publishDetails()
	}
}
