// Package model has the values that the packages of clusterset share: the ClusterSet and
// its members (clusterset.go), whose an address is (ranges.go, address.go), and one
// member's data (data.go, change.go) with its Services and slices (service.go, slice.go).
// They are immutable, so any number of goroutines may read them. It knows neither DNS
// messages nor Kubernetes, and imports the standard library only.
package model
