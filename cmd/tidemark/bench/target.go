package bench

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Target is a system to measure.
type Target struct {
	Name    string
	Addrs   []string          // host:port of some of its brokers
	Configs map[string]string // of the topics made on it
	Command []string          // starts it, for the case that measures a start
}

// ParseTarget reads NAME=HOST:PORT[,HOST:PORT…][?CONFIG=VALUE&…]; without a name the target
// is called by its address.
func ParseTarget(text string) (Target, error) {
	addrs, query, _ := strings.Cut(text, "?")
	name, list, named := strings.Cut(addrs, "=")
	if !named {
		name, list = addrs, addrs
	}
	t := Target{Name: name, Configs: map[string]string{}}
	if name == "" {
		return t, fmt.Errorf("target %q has no name before the =", text)
	}
	for addr := range strings.SplitSeq(list, ",") {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return t, fmt.Errorf("target %q: want NAME=HOST:PORT, for example tidemark=localhost:9092", text)
		}
		t.Addrs = append(t.Addrs, addr)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return t, fmt.Errorf("target %q: what follows the ? must be CONFIG=VALUE&…: %w", text, err)
	}
	for key := range values {
		t.Configs[key] = values.Get(key)
	}
	return t, nil
}

// client connects as an application would, but looks again soon for what a broker does not
// know yet; by default a new topic costs its first user seconds.
func (t Target) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(t.Addrs...),
		kgo.ClientID(clientID),
		kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.RetryTimeout(reachMax),
	}, opts...)...)
}

const clientID = "tidemark-bench"
