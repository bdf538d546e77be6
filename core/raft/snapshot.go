package raft

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// download is a snapshot on its way here, part by part.
type download struct {
	id       SnapshotID
	position int64 // of the next part
	size     int64 // of the whole; 0 while not known
}

// SnapshotStored reports that a snapshot made by this node is durable, so that the log below
// its end may be dropped. It must be of committed records.
func (m *Machine) SnapshotStored(now env.Instant, id SnapshotID) []Effect {
	m.begin(now)
	// A snapshot of what is not committed would survive a truncation.
	if id.End > m.hw || id.LeaderEpoch > m.vote.Epoch {
		invariant.Violated("raft.snapshot-of-committed", "snapshot=%s hw=%d epoch=%d", id, m.hw, m.vote.Epoch)
	}
	if id.End > m.snapshot.End {
		m.snapshot = id
		m.voters.cutStart(id.End)
	}
	return m.finish()
}

// SnapshotInstalled reports that the log now starts and ends at the end of that snapshot,
// durably, and which voter set the snapshot holds.
func (m *Machine) SnapshotInstalled(now env.Instant, id SnapshotID, voters []Voter) []Effect {
	if m.pull.installing {
		m.snapshot, m.end, m.last, m.durable = id, id.End, id.LeaderEpoch, id.End
	}
	m.begin(now)
	// The log was replaced by something that nobody vouched for.
	if d := m.pull.snapshot; !m.pull.installing || d == nil || d.id != id {
		invariant.Violated("raft.installed-after-fetched", "snapshot=%s", id)
	}
	m.voters = voterHistory{}
	m.voters.push(VoterSet{id.End - 1, voters})
	m.pull.installing, m.pull.snapshot = false, nil
	m.pull.at = m.now
	if id.End > m.hw {
		m.commit(id.End)
	}
	return m.finish()
}

// SnapshotRefused reports that the parts of that snapshot did not make a whole one. It is
// fetched anew.
func (m *Machine) SnapshotRefused(now env.Instant, id SnapshotID) []Effect {
	m.begin(now)
	if d := m.pull.snapshot; d != nil && d.id == id {
		m.dropDownload()
	}
	return m.finish()
}

func (m *Machine) snapshotRequested(from Voter, r SnapshotRequest) {
	reply := SnapshotReply{ID: r.ID, Position: r.Position, Epoch: m.vote.Epoch, Leader: m.leader}
	switch {
	case !m.admits(from, r.Epoch):
		reply.Code = m.refusal(r.Epoch)
		reply.Epoch, reply.Leader = m.vote.Epoch, m.leader
	case r.Position < 0 || r.MaxBytes <= 0:
		reply.Code = kafka.InvalidRequest
	case r.ID.IsZero() || r.ID.End > m.snapshot.End:
		reply.Code = kafka.SnapshotNotFound
	}
	if reply.Code != kafka.None {
		m.send(Send{from.ID, reply})
		return
	}
	m.replicaHeard(from)
	m.send(ServeSnapshot{from.ID, min(r.MaxBytes, SnapshotChunkBytes), reply})
}

// beginDownload fetches a snapshot in place of a log that the leader has dropped.
func (m *Machine) beginDownload(id SnapshotID) {
	here := m.endFor(id.LeaderEpoch)
	holds := here.Known && here.Epoch == id.LeaderEpoch && here.End >= id.End
	if holds || id.End <= m.hw || id.LeaderEpoch > m.vote.Epoch {
		m.pause() // a log that holds what it stands for is not replaced
		return
	}
	m.pull.snapshot = &download{id: id}
	m.pull.at = m.now
}

func (m *Machine) dropDownload() {
	m.emit(DropChunks{m.pull.snapshot.id})
	m.pull.snapshot, m.pull.installing = nil, false
	m.pause()
}

// snapshotReplied takes in the next part.
func (m *Machine) snapshotReplied(from Voter, r SnapshotReply) {
	d := m.pull.snapshot
	ours := d != nil && !m.pull.installing && d.id == r.ID && d.position == r.Position
	leads := r.Code == kafka.None || r.Code == kafka.SnapshotNotFound || r.Code == kafka.PositionOutOfRange
	code, leader := r.Code, r.Leader
	if leads {
		code, leader = kafka.None, from.ID
	}
	if !m.answered(from, answer{code, r.Epoch, leader}) || !ours || d != m.pull.snapshot {
		return
	}
	n := int64(len(r.Data))
	fits := r.Size > 0 && r.Size <= SnapshotBytesMax && (d.size == 0 || d.size == r.Size)
	fits = fits && n > 0 && n <= SnapshotChunkBytes && d.position+n <= r.Size
	if r.Code != kafka.None || !fits {
		m.dropDownload()
		return
	}
	m.emit(StoreChunk{d.id, d.position, r.Data})
	d.size, d.position = r.Size, d.position+n
	m.pull.at = m.now
	if d.position == d.size {
		m.pull.installing = true
		m.emit(InstallSnapshot{d.id, d.size})
	}
}
