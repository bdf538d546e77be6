// Package peer is what nodes of a cluster say to each other on the peer listener.
//
//	dialer ── Hello ──▶ Judge ── Answer ──▶ dialer     first frame of each side
//
// The handshake comes before everything else, and neither side trusts the other before it:
// who is of another cluster, is not the node that was meant, or speaks for a process that
// has been replaced, is refused with a reason that an operator can read. It also settles the
// version of all that follows.
//
// Not here yet: the messages that follow the handshake. Nothing imports this room so far.
// Not here ever: authentication. A Hello is a claim; TLS and SASL prove it.
//
// Read hello.go, judge.go, then encoding.go. Bytes: docs/formats/peer.md.
package peer
