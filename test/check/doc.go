// Package check tests kubectl clusterset check in three clusters that are broken on purpose,
// one way after another. Its tests have the build tag e2e.
package check
