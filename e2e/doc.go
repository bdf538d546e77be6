// Package e2e meets the outside world: a broker built and started as a process, used by
// clients that know nothing of Tidemark.
//
//	go test ./e2e                          what every change runs (a minute)
//	E2E_CYCLES=30 E2E_MIB=1024 go test ./e2e -v    the long form
//
// A test whose client is missing on the machine says so in one line and skips.
package e2e
