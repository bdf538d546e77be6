package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
)

// bound is a listener at work: where it listens and what its clients are told.
type bound struct {
	at     *net.TCPAddr
	told   broker.Listener
	chosen bool // the configuration says what clients are told
}

// bind opens the listeners. Clients may connect from now on; they are answered when the
// broker is ready.
func (n *Node) bind() error {
	for _, l := range n.cfg.Clients {
		addr, err := n.net.Listen(env.ClassClient, l.Name, net.JoinHostPort(l.Host, strconv.Itoa(l.Port)))
		if err != nil {
			return err
		}
		b := bound{
			at: addr.(*net.TCPAddr), chosen: l.Advertised,
			told: broker.Listener{Name: l.Name, Host: l.AdvertisedHost, Port: int32(l.AdvertisedPort)},
		}
		if b.told.Host == "" {
			b.told.Host = ownName()
		}
		if b.told.Port == 0 {
			b.told.Port = int32(b.at.Port)
		}
		n.bound = append(n.bound, b)
		n.log.Info("listening", "listener", l.Name, "on", b.at.String(), "clients are told", address(b.told))
		n.warnUnreachable(b)
	}
	return nil
}

// ownName is what clients are told of a listener that takes connections at every address and
// is not advertised.
func ownName() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

func address(l broker.Listener) string { return net.JoinHostPort(l.Host, strconv.Itoa(int(l.Port))) }

// warnUnreachable looks, without holding up the start, whether clients elsewhere can use what
// they are told: of all mistakes the one that is made most.
func (n *Node) warnUnreachable(b bound) {
	if b.at.IP.IsLoopback() {
		return // there are no clients elsewhere
	}
	n.background.Add(1)
	go func() {
		defer n.background.Done()
		ctx, cancel := context.WithTimeout(n.leaving, lookUpMax)
		defer cancel()
		if why, what := reachable(ctx, b, here()); why != "" && n.leaving.Err() == nil {
			n.log.Warn(why, "listener", b.told.Name, "clients are told", address(b.told), "do", what)
		}
	}()
}

// surroundings are what decides whether an address reaches this node.
type surroundings struct {
	name      string // of this machine
	container bool
	lookUp    func(ctx context.Context, host string) ([]netip.Addr, error)
}

func here() surroundings {
	return surroundings{
		name: ownName(), container: inContainer(),
		lookUp: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
	}
}

// inContainer knows the marks that engines leave.
func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return os.Getenv("KUBERNETES_SERVICE_HOST") != ""
}

// reachable says why clients on other machines cannot use what a listener for them tells, and
// what to do about it; "" if nothing speaks against it.
func reachable(ctx context.Context, b bound, s surroundings) (why, do string) {
	name, host := b.told.Name, b.told.Host
	set := "set advertised.listeners=" + name + "://HOST:PORT to the name or address that clients use"
	onlyHere := "; or, if no others are meant, listeners=" + name + "://localhost:" + strconv.Itoa(b.at.Port)
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsLoopback() {
			return "clients on other machines are told an address that is their own machine", set + onlyHere
		}
		return "", ""
	}
	addrs, err := s.lookUp(ctx, host)
	switch {
	case s.container && !b.chosen && host == s.name:
		return "clients are told this container's own name, which nobody outside its network knows",
			set + ", and publish that port"
	case isUnknown(err):
		return "clients are told a name that this machine cannot resolve; those that cannot either will " +
			"connect once and then find no broker", set
	case err != nil:
		return "", "" // no resolver answers: nothing is known
	case allLoopback(addrs) && !b.chosen && host == s.name:
		return "clients are told this machine's name, which here means only the machine itself; others may " +
			"not know it", set + onlyHere
	case allLoopback(addrs):
		return "clients on other machines are told a name that means their own machine", set + onlyHere
	}
	return "", ""
}

func isUnknown(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func allLoopback(addrs []netip.Addr) bool {
	for _, a := range addrs {
		if !a.IsLoopback() {
			return false
		}
	}
	return len(addrs) > 0
}
