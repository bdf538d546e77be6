package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/broker"
)

// What clients are told is the mistake made most, so each kind of it is told apart.
func TestOperatorIsWarnedOfAddressesThatReachNobody(t *testing.T) {
	names := map[string]string{
		"localhost": "127.0.0.1", "debian": "127.0.1.1", "kafka.example.org": "203.0.113.7",
		"broker-1": "10.0.0.5", "8f3c2b7a9d10": "172.17.0.2",
	}
	lookUp := func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "timeout" {
			return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
		}
		if ip, ok := names[host]; ok {
			return []netip.Addr{netip.MustParseAddr(ip)}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	for _, c := range []struct {
		name, told, machine string
		container, chosen   bool
		why                 string
	}{
		{name: "a name that others know", told: "kafka.example.org", chosen: true},
		{name: "the machine's own name, in its network", told: "broker-1", machine: "broker-1"},
		{name: "an address", told: "203.0.113.7", chosen: true},
		{name: "no resolver to ask", told: "timeout", chosen: true},
		{name: "a Service in front of a container", told: "kafka.example.org", machine: "8f3c2b7a9d10",
			container: true, chosen: true},
		{name: "a container that was told its own name", told: "8f3c2b7a9d10", machine: "8f3c2b7a9d10",
			container: true, chosen: true},
		{name: "a container that nobody told anything", told: "8f3c2b7a9d10", machine: "8f3c2b7a9d10",
			container: true, why: "this container's own name"},
		{name: "loopback", told: "127.0.0.1", chosen: true, why: "an address that is their own machine"},
		{name: "loopback of the newer kind", told: "::1", chosen: true, why: "an address that is their own"},
		{name: "localhost, as Kafka's sample has it", told: "localhost", chosen: true,
			why: "a name that means their own machine"},
		{name: "a machine's name that its own hosts file gives to loopback", told: "debian", machine: "debian",
			why: "here means only the machine itself"},
		{name: "a name that nobody knows", told: "kafka.exmaple.org", chosen: true, why: "cannot resolve"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bound{
				at: &net.TCPAddr{Port: 9092}, chosen: c.chosen,
				told: broker.Listener{Name: "OUTSIDE", Host: c.told, Port: 9092},
			}
			why, do := reachable(t.Context(), b, surroundings{c.machine, c.container, lookUp})
			if c.why == "" {
				require.Empty(t, why)
				return
			}
			require.Contains(t, why, c.why)
			require.Contains(t, do, "advertised.listeners=OUTSIDE://HOST:PORT")
		})
	}
}

// A stop does not wait for a resolver, and what it says when it is cut off warns of nothing.
func TestALookUpThatIsCutOffWarnsOfNothing(t *testing.T) {
	b := bound{at: &net.TCPAddr{Port: 9092}, told: broker.Listener{Name: "P", Host: "slow", Port: 9092}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	why, _ := reachable(ctx, b, surroundings{lookUp: func(ctx context.Context, _ string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, errors.Join(ctx.Err(), &net.DNSError{Err: "canceled"})
	}})
	require.Empty(t, why)
}
