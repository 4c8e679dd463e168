// Package document is the ClusterSet document: its types, how it is read and checked, and
// how it is written. Its YAML is described in the plugin's README.
//
// It is pure: it knows no files, no Kubernetes, no logs and no time. The plugin (through
// discovery) and command line tools use it alike.
package document
