package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/metadata"
)

const plaintext = "PLAINTEXT"

// protocols are Kafka's; a listener may be named like one without a map.
var protocols = []string{plaintext, "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

// readListeners reads listeners, what is advertised of them, and which is the controller's.
func (l *loader) readListeners() {
	value, at := l.value("listeners")
	all := l.parseListeners("listeners", value, at)
	if len(l.problems) > 0 {
		return
	}
	l.checkProtocols(all, at)
	l.checkPorts(all, at)
	l.readAdvertised(all)
	controllers, _ := l.value("controller.listener.names")
	for _, listener := range all {
		switch isPeer := slices.Contains(metadata.SplitList(controllers), listener.Name); {
		case !isPeer:
			l.cfg.Clients = append(l.cfg.Clients, listener)
		case l.cfg.Peer != nil:
			l.problem(at, "listeners=%s: expected one controller listener, found %s and %s", shown(value),
				l.cfg.Peer.Name, listener.Name)
		default:
			l.cfg.Peer = &listener
		}
	}
	if len(l.cfg.Clients) == 0 {
		l.problem(at, "listeners=%s: expected a listener for clients, for example PLAINTEXT://:9092", shown(value))
	}
	if name, at := l.value("inter.broker.listener.name"); name != "" && !hasListener(l.cfg.Clients, name) {
		l.problem(at, "inter.broker.listener.name=%s: expected the name of a client listener", shown(name))
	}
}

func hasListener(list []Listener, name string) bool {
	return slices.ContainsFunc(list, func(l Listener) bool { return l.Name == name })
}

// parseListeners reads NAME://host:port, comma-separated.
func (l *loader) parseListeners(key, value string, at Entry) []Listener {
	var all []Listener
	parts := metadata.SplitList(value)
	if len(parts) > listenersMax {
		l.problem(at, "%s: %d listeners, the most is %d", key, len(parts), listenersMax)
		return nil
	}
	for _, part := range parts {
		name, address, ok := strings.Cut(part, "://")
		host, port, err := splitHostPort(address)
		switch {
		case !ok || !isListenerName(name):
			l.problem(at, "%s=%s: expected NAME://host:port, found %s", key, shown(value), shown(part))
		case err != nil:
			l.problem(at, "%s=%s: %s: %v", key, shown(value), name, err)
		case hasListener(all, name):
			l.problem(at, "%s=%s: %s is there twice", key, shown(value), name)
		default:
			all = append(all, Listener{Name: name, Host: host, Port: port})
		}
	}
	return all
}

func isListenerName(name string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
	return name != "" && strings.Trim(name, letters) == ""
}

// splitHostPort reads host:port, [::1]:port or :port.
func splitHostPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%s: expected host:port", shown(address))
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%s: expected a port from 0 to 65535", shown(address))
	}
	return host, int(n), nil
}

// checkProtocols accepts listeners that speak plaintext. The map may name protocols that no
// listener uses, as Kafka's sample does.
func (l *loader) checkProtocols(all []Listener, at Entry) {
	const key = "listener.security.protocol.map"
	protocolOf := map[string]string{}
	for _, p := range protocols {
		protocolOf[p] = p
	}
	value, mapAt := l.value(key)
	for _, pair := range metadata.SplitList(value) {
		name, protocol, ok := strings.Cut(pair, ":")
		if !ok || !isListenerName(name) || !slices.Contains(protocols, protocol) {
			l.problem(mapAt, "%s=%s: expected NAME:PROTOCOL with one of %s, found %s", key, shown(value),
				strings.Join(protocols, ", "), shown(pair))
			return
		}
		protocolOf[name] = protocol
	}
	if !l.isSet(key) {
		// Without a map Kafka gives the controller's listeners plaintext.
		controllers, _ := l.value("controller.listener.names")
		for _, name := range metadata.SplitList(controllers) {
			if protocolOf[name] == "" {
				protocolOf[name] = plaintext
			}
		}
	}
	for _, listener := range all {
		switch protocol := protocolOf[listener.Name]; protocol {
		case plaintext:
		case "":
			l.problem(at, "listener %[1]s has no protocol; add %[1]s:%[2]s to %[3]s", listener.Name, plaintext, key)
		default:
			l.problem(at, "listener %s would speak %s; this release speaks %s only",
				listener.Name, protocol, plaintext)
		}
	}
}

// checkPorts wants a port per listener, unless they listen at different addresses.
func (l *loader) checkPorts(all []Listener, at Entry) {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.Port == b.Port && a.Port != 0 && (a.Host == b.Host || a.Host == "" || b.Host == "") {
				l.problem(at, "listeners %s and %s share port %d; give each its own", b.Name, a.Name, a.Port)
			}
		}
	}
}

// readAdvertised fills in what clients are told. A listener that the file does not advertise
// is advertised as it listens.
func (l *loader) readAdvertised(all []Listener) {
	const key = "advertised.listeners"
	for i := range all {
		all[i].AdvertisedHost, all[i].AdvertisedPort = all[i].Host, all[i].Port
		if ip := net.ParseIP(all[i].Host); ip != nil && ip.IsUnspecified() {
			all[i].AdvertisedHost = ""
		}
	}
	if !l.isSet(key) {
		return
	}
	value, at := l.value(key)
	for _, told := range l.parseListeners(key, value, at) {
		i := slices.IndexFunc(all, func(a Listener) bool { return a.Name == told.Name })
		ip := net.ParseIP(told.Host)
		switch {
		case i < 0:
			l.problem(at, "%s=%s: listeners has no %s", key, shown(value), told.Name)
		case told.Host == "" || ip != nil && ip.IsUnspecified():
			l.problem(at, "%s=%s: %s: expected an address that clients can reach, found %s", key, shown(value),
				told.Name, shown(told.Host))
		default:
			all[i].AdvertisedHost, all[i].AdvertisedPort, all[i].Advertised = told.Host, told.Port, true
		}
	}
}
