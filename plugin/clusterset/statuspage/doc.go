// Package statuspage serves statuses over HTTP: a page for people, and the same as JSON for
// programs. It changes nothing, and decides nothing: its Source does. What is here keeps who
// may not read it out (pages of other origins, names that are rebound to this address), and
// bounds what a reader can cost. The plugin's adapter serves it where the Corefile says status.
package statuspage
