// Package tidemark is a distributed log that speaks the Kafka protocol, written so that
// every line that decides anything also runs in a seeded, single-threaded simulator.
//
//	Kafka clients ──▶ netx ─┐                         ┌─ checker judges what clients saw
//	                        ├─▶ core/broker ─▶ core/* ┤
//	sim (a world by seed) ──┘                         └─ scenarios tell the stories
//
// A tide mark is a high watermark: the line below which nothing is lost.
//
// This package holds documents and no logic; the module's command is cmd/tidemark. The two
// commands to start with are
//
//	make demo   # a broker is killed under load, then every acknowledged record is counted
//	make test   # the rules of the house, every room's tests, races where there is real time
//
// Read README.md, then ARCHITECTURE.md, then core/env (the page of interfaces between the
// logic and the world), then the doc.go of the room you came for. The tests of this folder
// are the rules of the house: layout_test.go says who may import whom, tidy_test.go what a
// file may look like.
package tidemark
