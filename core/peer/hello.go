package peer

import "github.com/tidemark-log/tidemark/core/kafka"

// Version numbers the forms of all messages after the handshake, together.
type Version uint16

// Role tells what a node does; a node may do both.
type Role uint8

// The roles, as bits.
const (
	RoleBroker     Role = 1
	RoleController Role = 2
	rolesAll            = RoleBroker | RoleController
)

// Unregistered is the epoch of a broker that has not been registered since it started.
const Unregistered kafka.BrokerEpoch = -1

// AnyNode is the To of who has only an address.
const AnyNode kafka.BrokerID = -1

// Incarnation names one run of a broker's process; each start draws another.
type Incarnation [16]byte

// Hello is the first frame of who dials.
type Hello struct {
	_struct bool `codec:",toarray"` //nolint:unused // read by the library

	Oldest, Newest Version // that the sender speaks, both included
	Cluster        string
	Node           kafka.BrokerID
	Directory      kafka.DirectoryID // of the metadata log
	Epoch          kafka.BrokerEpoch
	Incarnation    Incarnation
	Role           Role
	// To and ToDirectory name who is meant; AnyNode and zero leave it open.
	To          kafka.BrokerID
	ToDirectory kafka.DirectoryID
}

// Refusal says why a connection is refused. Numbers are never used twice.
type Refusal uint8

// The refusals.
const (
	Accepted         Refusal = 0
	NoCommonVersion  Refusal = 1
	WrongCluster     Refusal = 2
	WrongNode        Refusal = 3
	WrongDirectory   Refusal = 4
	StaleIncarnation Refusal = 5
	refusalLast              = StaleIncarnation
)

// Answer is the first frame of who was dialed. After a refusal it closes the connection.
type Answer struct {
	_struct bool `codec:",toarray"` //nolint:unused // read by the library

	Refusal   Refusal
	Version   Version // of all that follows; 0 with a refusal
	Node      kafka.BrokerID
	Directory kafka.DirectoryID
	Reason    string // one sentence for an operator; "" if accepted
}
