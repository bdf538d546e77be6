// Package e2e meets the outside world: a broker built and started as a process, used and
// ill-used by what knows nothing of Tidemark.
//
//	stage/    a broker on stage: built once, run as a process, named versions and skips
//	clients/  clients of others, in one contract
//	compat/   what they must manage: make compat
//	kafka/    Apache Kafka's tools and broker, from Maven Central
//	bench/    Tidemark beside Apache Kafka, in one run: make bench
//	power/    a disk that forgets, under the real process: make power
//	hostile/  clients that wish the broker ill: make hostile
//
// The tests of this folder itself kill the process under load. `make test` runs the short
// forms of all but compat, which asks registries. How to lengthen them is in docs/testing.md.
//
// A test whose need is missing on the machine says so in one line and skips.
package e2e
