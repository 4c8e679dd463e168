// Package discovery finds out what the ClusterSet is: it reads documents from a
// ConfigMap or a file, validates them, watches them, and hands on each good
// ClusterSet. A bad document never replaces a good one. It also watches what
// documents refer to: Secrets and files with TLS material.
//
// It asks no member anything, and answers no names.
package discovery
