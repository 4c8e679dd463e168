// Package discovery is where the ClusterSet comes from: it reads documents from a ConfigMap
// or a file, watches them, and publishes each good ClusterSet; a bad document never replaces
// a good one. It also watches what documents refer to: Secrets and files with TLS
// credentials and kubeconfigs. And it knows which member is this cluster, where the About
// API says so.
//
// Each of these is a Feed, which server blocks and reloads of the Corefile share. What a
// document means is package document's business. Discovery asks no member anything, and
// answers no names.
package discovery
