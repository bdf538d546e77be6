package raft

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Voter is a node and the directory that holds its log. Only both together are a voter: a
// node with a new disk has forgotten what it voted and acknowledged.
type Voter struct {
	ID kafka.BrokerID
	// Directory is zero in a voter set for a voter whose directory is not known yet, as in
	// controller.quorum.voters. The leader writes it down when it is seen.
	Directory kafka.DirectoryID
}

func (v Voter) String() string {
	if v.Directory.IsZero() {
		return fmt.Sprintf("%d@?", v.ID)
	}
	return fmt.Sprintf("%d@%s", v.ID, v.Directory)
}

// is tells whether the node other is this voter of a set.
func (v Voter) is(other Voter) bool {
	return v.ID == other.ID && (v.Directory.IsZero() || v.Directory == other.Directory)
}

// VoterSet is a voter set and the base offset of the batch that holds it. It is in force
// from there on, committed or not.
type VoterSet struct {
	Offset kafka.Offset
	Voters []Voter
}

func validVoters(voters []Voter) error {
	if len(voters) == 0 {
		return errors.New("no voters")
	}
	if len(voters) > VotersMax {
		return fmt.Errorf("%d voters, at most %d", len(voters), VotersMax)
	}
	ids := map[kafka.BrokerID]bool{}
	for _, v := range voters {
		if v.ID < 0 || ids[v.ID] {
			return fmt.Errorf("voter %s: want ids that are not negative, each once", v)
		}
		ids[v.ID] = true
	}
	return nil
}

// sortedVoters is a copy by id, the order in which a set is written.
func sortedVoters(voters []Voter) []Voter {
	voters = slices.Clone(voters)
	slices.SortFunc(voters, func(a, b Voter) int { return cmp.Compare(a.ID, b.ID) })
	return voters
}

// find gives the voter of the set that the node is, if any.
func find(voters []Voter, node Voter) (Voter, bool) {
	for _, v := range voters {
		if v.is(node) {
			return v, true
		}
	}
	return Voter{}, false
}

func majority(voters []Voter) int { return len(voters)/2 + 1 }

// changes counts the voters that are in one of the sets only. One that gets its directory
// counts once: the node stays the same.
func changes(a, b []Voter) int {
	n := 0
	for _, v := range a {
		if !slices.ContainsFunc(b, func(w Voter) bool { return v.is(w) }) {
			n++
		}
	}
	for _, w := range b {
		if !slices.ContainsFunc(a, func(v Voter) bool { return v.is(w) }) {
			n++
		}
	}
	return n
}

// bootstrapOffset is where the set lies that no log holds.
const bootstrapOffset kafka.Offset = -1

// voterHistory holds the voter sets that may still come into force: the newest, and those
// that a truncation would bring back.
type voterHistory struct{ sets []VoterSet }

func newVoterHistory(bootstrap []Voter, inLog []VoterSet) voterHistory {
	h := voterHistory{sets: []VoterSet{{bootstrapOffset, sortedVoters(bootstrap)}}}
	for _, s := range inLog {
		h.push(s)
	}
	return h
}

func (h *voterHistory) latest() VoterSet { return h.sets[len(h.sets)-1] }

// at is the set in force in a log that ends at end.
func (h *voterHistory) at(end kafka.Offset) VoterSet {
	for _, s := range slices.Backward(h.sets) {
		if s.Offset < end {
			return s
		}
	}
	return h.sets[0]
}

func (h *voterHistory) push(s VoterSet) {
	h.sets = append(h.sets, VoterSet{s.Offset, sortedVoters(s.Voters)})
}

// cutEnd forgets the sets of batches from end on, which are truncated.
func (h *voterHistory) cutEnd(end kafka.Offset) {
	for len(h.sets) > 1 && h.latest().Offset >= end {
		h.sets = h.sets[:len(h.sets)-1]
	}
}

// cutStart forgets the sets that are replaced by another below end, which is committed.
func (h *voterHistory) cutStart(end kafka.Offset) {
	n := 0
	for n+1 < len(h.sets) && h.sets[n+1].Offset < end {
		n++
	}
	h.sets = slices.Delete(h.sets, 0, n)
}

func votersString(voters []Voter) string {
	names := make([]string, len(voters))
	for i, v := range voters {
		names[i] = v.String()
	}
	return "[" + strings.Join(names, " ") + "]"
}
