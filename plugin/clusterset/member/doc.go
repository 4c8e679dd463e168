// Package member keeps the data of one member whose document names a kubeconfig: it
// watches the member's API and keeps a View of its Services, EndpointSlices, Namespaces
// and ServiceExports, which a query reads with one atomic load; or, of the API that this
// CoreDNS has, its ServiceImports and their EndpointSlices.
//
// Its caller starts a Member, sets its credentials whenever they change, reads its View
// for each query and stops it when it leaves the ClusterSet. Answers from a View are
// package query's; which member to ask, and for how long stale data may be used, is the
// caller's.
//
// # The parts
//
//   - Member (member.go): the credentials in use, and the state: the View, and the session
//     that it is from.
//   - connector (connector.go): tries sessions with one set of credentials, with the
//     pauses of package backoff, until one works and again when it ends.
//   - session (session.go): one try at an API. It ends when nothing proves the API alive
//     any more: no watch (informer.go), nor a ping or a request (probe.go). Then all its
//     connections are closed, and the next session lists everything anew.
//   - listWatch (listwatch.go): lists and watches a resource in one session, with
//     client-go's Reflector; an informer (informer.go) has its state. A list needs a slot
//     of package gate, which all members share. serviceexports.go and serviceimports.go
//     look first whether the API has them.
//   - onlyExported (onlyexported.go): keeps what is exported alone, where that is asked
//     for; fetch.go gets one Service that is exported later.
//   - store (store.go), sync.go: lists and events become model.Data, and a View is
//     published. status.go has the state for a person.
//
// What needs nothing of the Member's lock is in packages of its own. resources has what is
// watched, and makes it part of the data: a list is compared with them, so what didn't
// change keeps its memory, and what is gone is removed. failure has why an API can't be
// used, as one of a few reasons, and conditions logs it, once, in text that is safe to log.
// liveness has when an API was proven alive, and garbage returns a list's.
// credentials makes a Config of a kubeconfig, apiclient asks the API, and decode reads what
// comes: an API may be the attacker's.
//
// # What a View promises
//
// Data are whole: they are published when Services and EndpointSlices have been listed
// in one session, and never half of that. They stay, as Stale, when the API is gone.
// Fresh means that something proved the API alive within the last 10 seconds, and that
// the watches of Services and EndpointSlices are established. Who keeps what was computed
// from Views compares Epoch (epoch.go).
package member
