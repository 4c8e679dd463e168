// Package inventory is the verb import: it makes entries of the ClusterSet of inventories
// that people have already: Cluster API's, Argo CD's and others. It prints objects to apply,
// and changes nothing. Each inventory is a file here; what it says of a cluster is judged
// by the server's own rules, for documents and for kubeconfigs, before it is printed.
package inventory
