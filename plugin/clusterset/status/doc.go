// Package status has the values that say what state things are in: of a program, its
// stanzas, their members, and how one name was looked up. A server writes them as JSON
// (GET /status.json, GET /lookup), and who shows them reads nothing else. They hold no
// credential, and no lock; texts from outside are escaped and cut. It decides nothing.
package status
