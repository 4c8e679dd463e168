package member

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// onlyExported has a session keep the Services that are exported, or marked for it, and
// their slices. ServiceExports are listed first, then Services, then slices: each list says
// what is kept of the next. What is wanted later is fetched (missing), because its objects
// were dropped when they came. A nil one keeps everything.
//
// Marks count whether or not a namespace opted out of them, as it may opt in again.
type onlyExported struct {
	*session
	known     chan struct{} // closed when the ServiceExports are known, or forbidden
	setKnown  func()
	wakeFetch chan struct{}

	// Under the Member's lock:

	// begun is the last of Services and slices whose list has begun, -1 before.
	begun int
	// missing are the Keys of Services to fetch.
	missing map[string]bool
	// fetching is the Key of the Service whose fetch is in flight, "" is none. touched are
	// the items that had events since it began, stale is set where its result isn't to be
	// used.
	fetching string
	touched  map[string]bool
	stale    bool
	// dropped are hashes of the Keys of the Services whose objects the list in flight has had
	// and that weren't kept, of Services and of slices; nil is no list.
	dropped [resources.EndpointSlices + 1]map[uint64]struct{}
	seed    maphash.Seed
}

func newOnlyExported(s *session) *onlyExported {
	o := &onlyExported{
		session: s, known: make(chan struct{}), wakeFetch: make(chan struct{}, 1), begun: -1, missing: make(map[string]bool),
		seed: maphash.MakeSeed(),
	}
	o.setKnown = sync.OnceFunc(func() { close(o.known) })
	return o
}

// watch lists and watches one resource after the other.
func (o *onlyExported) watch() {
	o.running.Go(o.listWatch(resources.Exports).watchExports)
	o.running.Go(func() { o.listWatch(resources.Namespaces).run(o.ctx) })
	o.running.Go(o.fetchMissing)
	o.awaitExports()
	for _, n := range []int{resources.Services, resources.EndpointSlices} {
		if o.ctx.Err() != nil {
			return
		}
		o.m.mu.Lock()
		o.begun = n
		o.m.mu.Unlock()
		listed := make(chan struct{})
		l := o.listWatch(n)
		l.whenListed = sync.OnceFunc(func() { close(listed) })
		o.running.Go(func() { l.run(o.ctx) })
		select {
		case <-listed:
		case <-o.ctx.Done():
		}
	}
}

// awaitExports waits for ServiceExports, as long as whole data would; not counting the time
// in which their list waits for its turn. Those that are listed later are fetched.
func (o *onlyExported) awaitExports() {
	timer := time.NewTicker(optionalWait)
	defer timer.Stop()
	for {
		select {
		case <-o.known:
			return
		case <-o.ctx.Done():
			return
		case <-timer.C:
		}
		o.m.mu.Lock()
		queued := o.informers[resources.Exports].queued
		o.waited = !queued
		o.m.mu.Unlock()
		if !queued {
			return
		}
	}
}

func isMarked(s *model.Service) bool { return s != nil && (s.Marked || s.IsGlobal()) }

// wants reports whether the Service of that Key is kept, with its slices, where it exists.
func (o *onlyExported) wants(key string) bool {
	if o.isExported(key) {
		return true
	}
	if o.synced {
		return isMarked(o.m.data.Service(key))
	}
	return isMarked(o.informers[resources.Services].pending[key].Service)
}

// isExported reports whether there is a ServiceExport of that Service. Those of an older
// session count until the session has its own.
func (o *onlyExported) isExported(key string) bool {
	if i := o.informers[resources.Exports]; i.listed && !o.synced {
		_, listed := i.pending[key]
		return listed
	}
	return o.m.data.HasExport(key)
}

// drops reports whether an item isn't kept.
func (o *onlyExported) drops(i *informer, item decode.Item) bool {
	switch {
	case o == nil:
		return false
	case i.number == resources.Services:
		return !isMarked(item.Service) && !o.isExported(item.Key)
	case i.number == resources.EndpointSlices:
		return item.Slice != nil && !o.wants(item.Slice.Service)
	}
	return false
}

// begin is called before the first object of a list of that resource comes.
func (o *onlyExported) begin(i *informer) {
	if o == nil || i.number > resources.EndpointSlices {
		return
	}
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.dropped[i.number] = make(map[uint64]struct{})
}

// skips reports whether an object that a list begins with isn't kept, so that it need not be
// decoded.
func (o *onlyExported) skips(i *informer, message []byte) (bool, error) {
	if o == nil || i.number > resources.EndpointSlices {
		return false, nil
	}
	readHead := decode.ServiceHead
	if i.number == resources.EndpointSlices {
		readHead = decode.SliceHead
	}
	head, err := readHead(message)
	if err != nil || head.Marked || head.Service == "" {
		return false, err
	}
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	i.active = time.Now()
	if i.number == resources.Services && o.isExported(head.Service) || i.number == resources.EndpointSlices && o.wants(head.Service) {
		return false, nil
	}
	o.noteDropped(i, head.Service)
	return true, nil
}

// strip drops an object of a list that was decoded, and had perhaps another version before.
func (o *onlyExported) strip(i *informer, object *decode.Object) {
	if o == nil {
		return
	}
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	item := object.Item
	if !o.drops(i, item) {
		return
	}
	service := item.Key
	if item.Slice != nil {
		service = item.Slice.Service
	}
	o.noteDropped(i, service)
	object.Item = decode.Item{Key: item.Key, Dropped: true}
}

// noteDropped notes whose object was dropped from a list: it may be wanted when the list is
// whole.
func (o *onlyExported) noteDropped(i *informer, service string) {
	if o.dropped[i.number] != nil {
		o.dropped[i.number][maphash.String(o.seed, service)] = struct{}{}
	}
}

// selectFrom removes from a list what isn't kept. What was dropped as it came, and is
// wanted by now, is fetched.
func (o *onlyExported) selectFrom(i *informer, list map[string]decode.Item) {
	if o == nil || i.number > resources.EndpointSlices {
		return
	}
	o.stale = true // the list may be newer than what is being fetched
	for key, item := range list {
		if item.Dropped || o.drops(i, item) {
			delete(list, key)
		}
	}
	dropped := o.dropped[i.number]
	o.dropped[i.number] = nil
	for key := range o.candidates() {
		_, there := list[key]
		if _, was := dropped[maphash.String(o.seed, key)]; was && !there && o.wants(key) {
			o.miss(key)
		}
	}
}

// candidates are the Keys of the Services that may be wanted.
func (o *onlyExported) candidates() iter.Seq[string] {
	exported := o.m.data.Exports()
	if i := o.informers[resources.Exports]; i.listed && !o.synced {
		exported = maps.Keys(i.pending)
	}
	kept := o.informers[resources.Services].Keys(o.m.data)
	if !o.synced {
		kept = maps.Keys(o.informers[resources.Services].pending)
	}
	return func(yield func(string) bool) {
		for _, keys := range []iter.Seq[string]{exported, kept} {
			for key := range keys {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// expect has the Services fetched that a list, which is about to be applied, makes wanted.
func (o *onlyExported) expect(i *informer, list map[string]decode.Item) {
	if o == nil || !o.decides(i) {
		return
	}
	for key := range list { // Services in it are all kept
		if !o.wants(key) {
			o.missNow(i, key)
		}
	}
}

// forget drops the Services that a list, which was applied, made unwanted.
func (o *onlyExported) forget(i *informer, before *model.Data) {
	if o == nil || !o.decides(i) {
		return
	}
	for key := range i.Keys(before) {
		if (before.HasExport(key) || isMarked(before.Service(key))) && !o.wants(key) {
			o.drop(key)
		}
	}
}

// decides reports whether that resource's objects say which Services are wanted.
func (o *onlyExported) decides(i *informer) bool {
	return i.number == resources.Services || i.number == resources.Exports
}

// changed follows an event that was applied to an object of that Key, of which it is known
// whether it was wanted before.
func (o *onlyExported) changed(i *informer, key string, wanted bool) {
	if o == nil || !o.decides(i) {
		return
	}
	switch wants := o.wants(key); {
	case wants && !wanted:
		o.missNow(i, key)
	case wanted && !wants && o.synced: // before, prune does
		o.drop(key)
	}
}

// missNow has a Service fetched that an object of that resource made wanted, unless the
// lists that need it are still to come.
func (o *onlyExported) missNow(i *informer, key string) {
	if i.number == resources.Exports && o.begun >= resources.Services || o.begun >= resources.EndpointSlices {
		o.miss(key)
	}
}

// miss has a Service fetched, if there can be one of that Key: a ServiceExport may have
// another name.
func (o *onlyExported) miss(key string) {
	name, namespace := resources.SplitKey(key)
	if len(validation.IsDNS1123Label(name)) > 0 || len(validation.IsDNS1123Label(namespace)) > 0 {
		return
	}
	o.missing[key] = true
	o.stale = o.stale || o.fetching == key
	o.wake()
}

// drop removes a Service and its slices from the data.
func (o *onlyExported) drop(key string) {
	delete(o.missing, key)
	o.stale = o.stale || o.fetching == key
	s := o.m.data.Service(key)
	if s == nil {
		return
	}
	_ = o.m.applyItem(o.informers[resources.Services], decode.Item{Key: key}, true)
	for _, slice := range s.Slices {
		_ = o.m.applyItem(o.informers[resources.EndpointSlices], decode.Item{Key: slice.Key}, true)
	}
}

// prune drops what isn't wanted any more of lists that are about to be the data.
func (o *onlyExported) prune() {
	if o == nil {
		return
	}
	for _, i := range o.required() {
		for key, item := range i.pending {
			if o.drops(i, item) {
				delete(i.pending, key)
				_ = o.addCost(i.number, -item.Cost())
			}
		}
	}
	o.wake()
}

// touch notes that there was an event for the item of that key.
func (o *onlyExported) touch(key string) {
	switch {
	case o == nil || o.fetching == "":
	case len(o.touched) >= maxTouched:
		o.stale = true
	default:
		o.touched[key] = true
	}
}

func (o *onlyExported) wake() {
	select {
	case o.wakeFetch <- struct{}{}:
	default:
	}
}
