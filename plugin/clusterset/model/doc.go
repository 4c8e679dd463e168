// Package model holds the values that the rest of clusterset passes around: the
// ClusterSet and its members, and who owns which address. Values are immutable
// once made, so any number of goroutines may read them. It knows neither DNS
// messages nor Kubernetes, and imports the standard library only.
package model
