package peer

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Self is who judges.
type Self struct {
	Oldest, Newest Version
	Cluster        string
	Node           kafka.BrokerID
	Directory      kafka.DirectoryID
}

// Registration is what the metadata of who judges says about the sender.
type Registration struct {
	Directory   kafka.DirectoryID // zero if not known
	Epoch       kafka.BrokerEpoch // Unregistered if there is none
	Incarnation Incarnation
}

// Judge answers a Hello. known may be older than the truth: a sender with a higher epoch is
// believed, and one without an epoch too, or it could never register.
func (s Self) Judge(h Hello, known Registration) Answer {
	refusal, why := s.refusal(h, known)
	if refusal != Accepted {
		return Answer{Refusal: refusal, Node: s.Node, Directory: s.Directory, Reason: why}
	}
	return Answer{Version: min(s.Newest, h.Newest), Node: s.Node, Directory: s.Directory}
}

// refusal asks for the cluster first: nothing else a stranger says has a meaning here.
func (s Self) refusal(h Hello, known Registration) (Refusal, string) {
	switch {
	case h.Cluster != s.Cluster:
		return WrongCluster, fmt.Sprintf("this node is of cluster %q, not %q", s.Cluster, h.Cluster)
	case h.To != AnyNode && h.To != s.Node:
		return WrongNode, fmt.Sprintf("this is node %d, not %d", s.Node, h.To)
	case !h.ToDirectory.IsZero() && h.ToDirectory != s.Directory:
		return WrongDirectory, fmt.Sprintf("node %d has directory %s, not %s", s.Node, s.Directory, h.ToDirectory)
	case h.Newest < s.Oldest || h.Oldest > s.Newest:
		return NoCommonVersion, fmt.Sprintf("this node speaks versions %d to %d, not %d to %d",
			s.Oldest, s.Newest, h.Oldest, h.Newest)
	case h.Epoch == Unregistered || h.Epoch > known.Epoch:
		return Accepted, ""
	case h.Epoch < known.Epoch:
		return StaleIncarnation, fmt.Sprintf("node %d was registered again: epoch %d, not %d",
			h.Node, known.Epoch, h.Epoch)
	case h.Incarnation != known.Incarnation:
		return StaleIncarnation, fmt.Sprintf("epoch %d of node %d is of another incarnation", h.Epoch, h.Node)
	case !known.Directory.IsZero() && h.Directory != known.Directory:
		return WrongDirectory, fmt.Sprintf("node %d registered with directory %s, not %s",
			h.Node, known.Directory, h.Directory)
	}
	return Accepted, ""
}
