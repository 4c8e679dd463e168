//go:build race

package member

// raceDetector is whether the tests run with it.
const raceDetector = true
