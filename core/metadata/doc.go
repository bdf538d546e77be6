// Package metadata describes the cluster: what was decided (records), what that adds up
// to (Image), and what a change means for those who act on it (Delta).
//
//	records ──▶ Image.Apply ──▶ Image (immutable) ──▶ Timeline ──▶ committed Image
//	                                                          └──▶ Delta: what changed
//	Image ──▶ SnapshotWriter ──▶ batches of a file ──▶ LoadSnapshot ──▶ the same Image
//	config definitions + static settings + Image ──▶ Resolver ──▶ effective values
//
// An Image is the fold of all records below its End. It is never changed: applying a
// batch gives a new Image that shares everything the batch did not touch, so holding an
// old one costs only the difference, and a batch becomes visible as a whole. A broker
// acts on deltas between two committed images and on nothing else.
//
// Deliberately absent: decisions (core/controller makes them), the log the records lie
// in, files, the wire, and time.
//
// Read records.go, encoding.go, image.go, topic.go, apply.go, delta.go, timeline.go;
// snapshot.go, snapshotload.go, snapshotpolicy.go;
// then configkey.go, topicconfigs.go, brokerconfigs.go, resolver.go. The bytes of every
// record version are in docs/formats/metadata-records.md and testdata/.
package metadata
