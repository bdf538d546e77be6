package raft_test

import (
	"fmt"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// effectText is an effect as stories show it, and whether it is of the kind that repeats as
// long as a cluster lives.
func effectText(e raft.Effect) (text string, chatter bool) {
	switch e := e.(type) {
	case raft.Send:
		return fmt.Sprintf("-> %d %s", e.To, messageText(e.Msg)), true
	case raft.Serve:
		return fmt.Sprintf("reads for %d from %d hw=%d", e.To, e.Reply.Offset, e.Reply.HighWatermark), true
	case raft.ServeSnapshot:
		return fmt.Sprintf("reads snapshot %s for %d from %d", e.Reply.ID, e.To, e.Reply.Position), true
	case raft.StoreVote:
		if !e.Vote.Voted {
			return fmt.Sprintf("stores epoch=%d", e.Vote.Epoch), true
		}
		return fmt.Sprintf("stores epoch=%d vote=%s", e.Vote.Epoch, name(e.Vote.For)), true
	case raft.Append:
		all := make([]string, len(e.Batches))
		for i, b := range e.Batches {
			all[i] = batchText(b)
		}
		return "appends " + strings.Join(all, ", "), false
	case raft.Truncate:
		return fmt.Sprintf("truncates to %d", e.To), false
	case raft.StoreChunk:
		return fmt.Sprintf("stores part of snapshot %s: %d bytes at %d", e.ID, len(e.Data), e.Position), true
	case raft.InstallSnapshot:
		return fmt.Sprintf("installs snapshot %s of %d bytes", e.ID, e.Size), false
	case raft.DropChunks:
		return fmt.Sprintf("drops parts of snapshot %s", e.ID), false
	case raft.HighWatermark:
		return fmt.Sprintf("hw=%d", e.Offset), false
	case raft.Became:
		leader := ""
		if e.Leader != raft.NoLeader {
			leader = fmt.Sprintf(" leader=%d", e.Leader)
		}
		return fmt.Sprintf("is %s epoch=%d%s", e.Role, e.Epoch, leader), false
	case raft.Healed:
		return "is healed", false
	}
	return "", true
}

func batchText(b raft.Batch) string {
	text := fmt.Sprintf("%d..%d epoch=%d %s", b.Base, b.Next-1, b.Epoch, b.Kind)
	if b.Kind == raft.Voters {
		text += "=" + names(b.Voters)
	}
	return text
}

func messageText(msg raft.Message) string {
	switch msg := msg.(type) {
	case raft.VoteRequest:
		return fmt.Sprintf("%s? epoch=%d log=%d@%d voter=%s", voteKind(msg.Pre), msg.Epoch, msg.End, msg.LastEpoch,
			name(msg.Voter))
	case raft.VoteReply:
		word := "no"
		if msg.Granted {
			word = "yes"
		}
		return fmt.Sprintf("%s %s epoch=%d%s", voteKind(msg.Pre), word, msg.Epoch, leaderText(msg.Leader))
	case raft.BeginEpoch:
		return fmt.Sprintf("begin-epoch %d", msg.Epoch)
	case raft.EndEpoch:
		return fmt.Sprintf("end-epoch %d preferred=%s", msg.Epoch, names(msg.Preferred))
	case raft.EpochReply:
		return fmt.Sprintf("epoch %d%s", msg.Epoch, leaderText(msg.Leader))
	case raft.FetchRequest:
		return fmt.Sprintf("fetch %d@%d epoch=%d hw=%d", msg.Offset, msg.LastEpoch, msg.Epoch, msg.HighWatermark)
	case raft.FetchReply:
		return fetchText(msg)
	case raft.SnapshotRequest:
		return fmt.Sprintf("fetch-snapshot %s from %d epoch=%d", msg.ID, msg.Position, msg.Epoch)
	case raft.SnapshotReply:
		if msg.Code != kafka.None {
			return fmt.Sprintf("snapshot %s %s epoch=%d", msg.ID, msg.Code, msg.Epoch)
		}
		return fmt.Sprintf("snapshot %s %d bytes at %d of %d", msg.ID, len(msg.Data), msg.Position, msg.Size)
	}
	return fmt.Sprintf("%T", msg)
}

func fetchText(msg raft.FetchReply) string {
	switch {
	case msg.Code != kafka.None:
		return fmt.Sprintf("%s epoch=%d%s", msg.Code, msg.Epoch, leaderText(msg.Leader))
	case msg.Diverging.Known:
		return fmt.Sprintf("diverging at %d@%d epoch=%d", msg.Diverging.End, msg.Diverging.Epoch, msg.Epoch)
	case !msg.Snapshot.IsZero():
		return fmt.Sprintf("snapshot %s instead, epoch=%d", msg.Snapshot, msg.Epoch)
	}
	return fmt.Sprintf("fetched %d batches hw=%d epoch=%d", len(msg.Batches), msg.HighWatermark, msg.Epoch)
}

func voteKind(pre bool) string {
	if pre {
		return "pre-vote"
	}
	return "vote"
}

func leaderText(id kafka.BrokerID) string {
	if id == raft.NoLeader {
		return ""
	}
	return fmt.Sprintf(" leader=%d", id)
}
