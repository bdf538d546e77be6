// Package simnet is the simulated network behind env.Net: connections whose bytes take
// time, and faults that cut them.
//
//	Stack.Send ─▶ end.out (in flight, in order) ─ link delay ─▶ peer's Handler.FrameReceived
//	                  │
//	    reset, kill, power loss: a drawn prefix still arrives, the rest is lost
//
// A connection is two ends; an end's out stream holds what it sent and the other has not
// taken. Frames stay the sender's memory until they arrive, are then compared with the
// checksum taken when they were sent, and copied into a buffer of the receiver: a sender
// that changes or releases what it gave away shows at once.
//
// A cut acts on a link, that is one direction between two hosts: what reaches its far end is
// lost or kept (link.blocked), what enters a stopped link is lost. A stream that lost bytes
// is severed for good, as TCP has no holes; kernels without acknowledgement give up.
//
// Deliberately absent: packets, retransmission, congestion. TCP hides them; what it does
// not hide — order inside a connection, none across, loss of a suffix, silence — is here.
//
// Read config.go, network.go, conn.go, then dial.go, stack.go, fault.go (ends of
// connections). Faults: cut.go, silence.go (severed streams), partition.go (shapes, clogs),
// stream.go (single connections), drawn.go (rates). The suite that
// holds this and netx to the same words is core/env/envtest.
package simnet
