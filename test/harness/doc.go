// Package harness has what the end-to-end suites share: CoreDNS run as a process
// (Process, Server), asked, probed and put under load; its metrics; waiting
// without sleeping; and the client of an API server of test/apiserver.
//
// What it waits for it bounds, and a test that fails is told what was wrong last
// and what the servers said at their end. Zones, documents and Corefiles are each
// suite's own, and so are their addresses: CoreDNS shares its ports
// (SO_REUSEPORT), so no two suites may use one.
//
// Its files have the build tag e2e, as the tests that use it do. They need Linux.
package harness
