// Package controller decides the metadata of the cluster: which brokers are registered,
// which topics exist, where their partitions lie and how they and the brokers are
// configured, who owns which producer ids.
//
//	request ──▶ decide (reads Image, writes nothing) ──▶ Decision{Records, Answer}
//	                                                          │ append, by the runtime
//	Image ◀── Replay ◀────────────────────────────────────────┘
//
// A request is a plain struct and an answer has one row per item with a code of the
// protocol and a sentence. Everything a decision reads is in the image, in the request or
// fixed at the start, so the same log gives the same decisions. The only thing drawn is a
// topic's id, by a function handed in.
//
// This is a quorum of one: the metadata log is led by the only controller, and what is
// durable there is committed. Deliberately absent: appending and waiting (core/coordinator
// does both), heartbeats, fencing and controlled shutdown, the ELR of KIP-966, authorisation and
// the wire (core/api). AlterPartition is decided here but nothing asks for it yet: a broker alone
// has no followers.
//
// Read controller.go, topics.go, partitions.go, assignment.go, configs.go, brokers.go,
// isr.go, producerids.go. Stories are in testdata/.
package controller
