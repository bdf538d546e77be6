// Command bench measures Tidemark beside Apache Kafka in one run and sets the ratios against
// the goals of docs/performance.md: make bench.
//
//	tidemark serve ─┐                      ┌─▶ tables, percentiles
//	                ├─▶ cmd/tidemark/bench ┤
//	Apache Kafka  ──┘    (in this process) └─▶ goal by goal: ratio, gate, aim
//
// Kafka is measured twice, as it comes (acknowledged from the page cache) and with a sync
// before each acknowledgement (flush.messages=1), which is what Tidemark does. It gets a
// minute of load first, for its compiler. Where Java, Maven or the registry is missing, a
// line says so and Tidemark is measured alone.
//
// Read main.go, then brokers.go, stages.go (the load) and goals.go (the judgement).
package main
