// Package lint is the verb that judges ClusterSet documents in files, in the server's own
// words, before they are applied. It asks no cluster.
package lint
