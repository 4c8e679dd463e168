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
//   - connector (connector.go): tries sessions with one set of credentials, with a
//     backoff (backoff.go), until one works and again when it ends.
//   - session (session.go): one try at an API. It ends when nothing proves the API alive
//     any more (probe.go, informer.go); then all its connections are closed, and the next
//     session lists everything anew.
//   - resource (resources.go, mcs.go, serviceexports.go, serviceimports.go): what is
//     watched. A listWatch (listwatch.go) lists and watches one in one session, with client-go's Reflector, and
//     an informer (informer.go) has its state; a list needs a slot of package gate,
//     which all members share.
//   - onlyExported (onlyexported.go): keeps what is exported alone, where that is asked
//     for; fetch.go gets one Service that is exported later.
//   - store (store.go), apply.go, namespaces.go, sync.go: lists and events become
//     model.Data. A list is compared with the data, so what didn't change keeps its
//     memory, and what is gone is removed. memory.go returns a list's garbage.
//   - conditions (conditions.go), failure.go, log.go: what is wrong, as one of a few
//     reasons; logged once, in text that is safe to log. status.go has all of it for a
//     person.
//
// Package credentials makes a Config of a kubeconfig, package apiclient asks the API, and
// package decode reads what comes: an API may be the attacker's.
//
// # What a View promises
//
// Data are whole: they are published when Services and EndpointSlices have been listed
// in one session, and never half of that. They stay, as Stale, when the API is gone.
// Fresh means that something proved the API alive within the last 10 seconds, and that
// the watches of Services and EndpointSlices are established. Who keeps what was computed
// from Views compares Epoch (epoch.go).
package member
