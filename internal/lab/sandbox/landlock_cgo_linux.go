//go:build cgo

package sandbox

// withC tells whether this program runs threads that Go did not start.
const withC = true
