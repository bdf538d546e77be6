// Package bench is the product's load generator: it measures any brokers that speak Kafka's
// protocol, several of them in one run, so that its ratios come from one machine in one hour.
//
//	Plan ─▶ Run ─▶ for each case, repetition and target (in random order):
//	                  a fresh topic ─▶ warm-up ─▶ measured load ─▶ Measurement
//	                                                  │
//	                         meter: the server's CPU and memory, our own CPU and
//	                         lateness, the time the machine's host stole
//	Measurements ─▶ Table (median, range, ratio) · Plot (terminal) · Page (HTML) · JSON lines
//
// Produce, latency and end to end go through a client library as an application would. Flood
// and consume write and read ready-made bytes on bare connections, so that the server's
// work and hardly ours is measured. Latency is open loop: records are due at fixed times
// whatever the server does, and each is timed from when it was due.
//
// Deliberately absent: anything that knows whose broker it talks to, and a judgement of the
// figures; the comparison with Apache Kafka is in e2e/bench.
//
// Read plan.go, cases.go, then the case you care about; wire.go holds the bare connection,
// meter.go and proc.go what is counted around the load, table.go, plot.go and page.go what
// is shown.
package bench
