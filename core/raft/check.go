package raft

import "github.com/tidemark-log/tidemark/core/invariant"

// check holds the state after each input to what always must be true.
func (m *Machine) check() {
	m.checkVotes()
	// Committed means held by a majority; a node that is not of it gets it first.
	if m.hw > m.end {
		invariant.Violated("raft.hw-within-log", "hw=%d end=%d", m.hw, m.end)
	}
	// Nothing can be durable that is not in the log.
	if m.durable > m.end {
		invariant.Violated("raft.durable-end-within-log", "durable=%d end=%d", m.durable, m.end)
	}
	// Records dropped without a snapshot that holds them are lost to everybody who has not
	// fetched them yet.
	if start := m.cfg.Log.Start(); start > m.snapshot.End {
		invariant.Violated("raft.log-start-covered", "start=%d snapshot=%s", start, m.snapshot)
	}
}
