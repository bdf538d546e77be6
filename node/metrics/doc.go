// Package metrics shows the numbers that core keeps as plain structs in the format of
// Prometheus.
//
//	scrape ─▶ Exporter ─▶ Source (asks the event loop, waits) ─▶ Snapshot ─▶ families ─▶ text
//
// The names are public: they change as the wire format does, with a major version. Each
// begins with tidemark_, is in seconds, bytes or plain counts, and stands with its help in
// the table of families, from which docs/operations/metrics.md is made. Nothing here
// runs between two scrapes, and only topics, APIs and log directories make series: an idle
// partition costs nothing but a glance during a scrape.
//
// Deliberately absent: HTTP (node/admin), counting (the rooms of core, netx and diskx),
// numbers per partition or per client.
//
// Read snapshot.go, families.go, exporter.go.
package metrics
