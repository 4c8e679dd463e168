// Package member holds the end-to-end tests of plugin/clusterset/member: Members
// that watch real API servers (test/apiserver), which are stopped, frozen, cut off,
// wiped and denied to them. What a client then gets from a whole server is tested
// in test/data.
package member
