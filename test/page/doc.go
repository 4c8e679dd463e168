// Package page has the tests of the status page in a headless Chromium.
package page
