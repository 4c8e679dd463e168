// Package status is the verb status: how every replica of clusterset sees every member, in
// one table, with what differs between replicas below it. It asks the replicas' status
// servers, and compares the documents that they have in force with the ConfigMap as it is
// now. --wait waits until all is well.
package status
