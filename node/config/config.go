package config

import (
	"time"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Config is everything a node is told at its start.
type Config struct {
	// NodeID is node.id, or broker.id.
	NodeID kafka.BrokerID
	// Rack is broker.rack, "" for none.
	Rack string
	// LogDirs are the log directories as written, relative ones included.
	LogDirs []string

	// Clients are the listeners for Kafka clients, in the order of the file.
	Clients []Listener
	// Peer is the listener for other nodes, named in controller.listener.names; nil if
	// the file has none, which one broker can do without.
	Peer *Listener

	// Admin is where HTTP serves metrics and health, host:port; "" is nowhere.
	Admin string
	// AdminChosen tells that the file says so. Else it is the default, and a node whose
	// neighbour has that port does without.
	AdminChosen bool

	// Net bounds what connections may take.
	Net Net
	// Log sizes what every log directory has of its own.
	Log Log

	// Static holds Kafka's keys as the file sets them, for core/broker: topic defaults,
	// timeouts, and what DescribeConfigs shows as set in the file.
	Static map[string]string
	// Own holds Tidemark's keys as they are set; what they mean is in the fields above.
	Own map[string]string
	// FromEnvironment are the keys that a variable sets, whatever the file says.
	FromEnvironment []string
	// Warnings are things that work but were probably not meant; the node logs them.
	Warnings []string
	_        struct{}
}

// Listener is one address to listen at and what clients are told to dial instead.
type Listener struct {
	Name string
	Host string // "" is every address of the machine
	Port int    // 0 lets the system choose
	// AdvertisedHost and AdvertisedPort are from advertised.listeners. An empty host means
	// that the node tells its own name; port 0 means the port it listens at.
	AdvertisedHost string
	AdvertisedPort int
	// Advertised tells that advertised.listeners names it.
	Advertised bool
}

// Net bounds the network boundary.
type Net struct {
	RequestBytesMax       int           // socket.request.max.bytes
	ConnectionsMax        int           // max.connections
	ConnectionsPerIPMax   int           // max.connections.per.ip
	IdleMax               time.Duration // connections.max.idle.ms, 0 for no bound
	QueuedRequestsMax     int           // queued.max.requests
	QueuedRequestBytesMax int64         // queued.max.request.bytes, -1 for the node's own bound
	SendBufferBytes       int           // socket.send.buffer.bytes, -1 for the system's
	ReceiveBufferBytes    int           // socket.receive.buffer.bytes, -1 for the system's
}

// Log sizes a log directory.
type Log struct {
	JournalFileBytes int64 // tidemark.journal.file.bytes
	JournalFiles     int   // tidemark.journal.files
	TailCacheBytes   int64 // tidemark.tail.cache.bytes
	ReserveBytes     int64 // tidemark.reserve.bytes
}
