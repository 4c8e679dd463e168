// Package member is the life of one member of the ClusterSet whose document gives
// a kubeconfig: it watches the member's API and keeps a View of its Services,
// EndpointSlices, Namespaces and ServiceExports, which a query reads with one
// atomic load.
//
// The wiring (package clusterset) starts a Member, hands it its credentials
// whenever they change, reads its View for each query and stops it when it leaves
// the ClusterSet. What a View's answers are is package query's; which member to
// ask, and how long stale data may be used (serve_stale), the wiring's.
//
// # The parts
//
//   - Member (member.go): what the wiring holds: the View, and whose data it shows.
//   - attempts (attempts.go): tries sessions with one set of credentials, one after
//     the other, until one works and again when it ends.
//   - session (session.go): one try at an API. It is over when nothing proves the
//     API alive any more (alive.go); then all its connections are closed and the
//     next one lists everything anew.
//   - kind (kind.go, kinds.go, exports.go): what is watched, one client-go Reflector
//     each. A list passes a gate that all members share (gate.go).
//   - requests.go, wire.go, decode.go, object.go: asking for it, and reading as much
//     of what comes as answers need, within the bounds of bounds.go, no faster than
//     pace.go has it. An API may be the attacker's.
//   - transform.go, marks.go, intern.go: an API object becomes a slim model value at
//     once.
//   - store.go, replace.go, shown.go: the values become model.Data. A list is
//     compared with what there is, so what didn't change keeps its memory, and what
//     is gone goes. tidy.go gives a list's garbage back.
//   - heard.go, errors.go, diary.go, words.go: what went well or wrong, as one of a
//     few reasons; told once, in words that are safe to log.
//   - client.go, kubeconfig.go, inline.go, files.go, expiry.go, transport.go, conns.go,
//     frames.go: from a kubeconfig to connections.
//
// # What a View promises
//
// Data are whole: they are shown when Services and EndpointSlices have been listed
// in one session, and never half of that. They stay, as Stale, when the API is
// gone. Fresh means that within the last 10 seconds something proved the API
// alive, and that the watches of Services and EndpointSlices stand.
package member
