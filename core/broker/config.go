package broker

import (
	"errors"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Listener is where clients of one listener are told to connect. The name is the one
// env.ConnInfo carries: a client only learns addresses of the listener it came in on.
type Listener struct {
	Name string
	Host string
	Port int32
}

// Config is what a broker is told at its start.
type Config struct {
	// Env is the world of this node.
	Env *env.Env
	// NodeID is node.id.
	NodeID kafka.BrokerID
	// ClusterID is the cluster's id; "" draws one when the metadata log is empty.
	ClusterID string
	// Rack is broker.rack, "" for none.
	Rack string
	// LogDirs are the log directories; the first holds the metadata log.
	LogDirs []string
	// Listeners are the advertised client listeners.
	Listeners []Listener
	// Static are the server keys set in the configuration file, by Kafka's names.
	Static map[string]string
	// Failed, if set, is told once when the broker cannot go on: its metadata log is lost.
	Failed func(error)
}

// Validate answers what is wrong with the configuration.
func (c *Config) Validate() error {
	switch {
	case c.Env == nil:
		return errors.New("broker: config without env")
	case c.NodeID < 0:
		return errors.New("broker: node.id must not be negative")
	case len(c.LogDirs) == 0:
		return errors.New("broker: log.dirs is empty")
	case len(c.Listeners) == 0:
		return errors.New("broker: no listener")
	}
	return nil
}
