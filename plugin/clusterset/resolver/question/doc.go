// Package question has the values that an answer begins and ends with: the Zones of a server
// block, the Question that a client asks about a name in one of them, the look-ups that it may
// make (budget.go; trail.go, over servers like this one), and its Resolution, from which all that
// is shown is read.
//
// It asks nobody and decides nothing: package resolver makes a Resolution of a Question.
package question
