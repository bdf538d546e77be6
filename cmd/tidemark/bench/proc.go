package bench

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// # What /proc tells
//
// On systems without it these functions know nothing, and say so.

// ticksPerSecond is USER_HZ, the same on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuSeconds is the user and system time that processes have used so far.
func cpuSeconds(pids ...int) (seconds float64, ok bool) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The program's name, in parentheses, may hold anything; user and system time are
		// the 12th and 13th field after it.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 13 {
			continue
		}
		user, err1 := strconv.ParseFloat(fields[11], 64)
		system, err2 := strconv.ParseFloat(fields[12], 64)
		if err1 == nil && err2 == nil {
			seconds, ok = seconds+(user+system)/ticksPerSecond, true
		}
	}
	return seconds, ok
}

// stolenSeconds is the processor time that the machine's host has kept from it so far.
func stolenSeconds() (seconds float64, ok bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 {
		return 0, false
	}
	ticks, err := strconv.ParseFloat(fields[8], 64)
	return ticks / ticksPerSecond, err == nil
}

// residentBytes is the memory that processes hold.
func residentBytes(pids ...int) (bytes float64, ok bool) {
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(status))
		if len(fields) < 2 {
			continue
		}
		if pages, err := strconv.ParseFloat(fields[1], 64); err == nil {
			bytes, ok = bytes+pages*float64(os.Getpagesize()), true
		}
	}
	return bytes, ok
}

// listeners finds the processes of this machine that listen on the ports of the addresses.
// An address of another machine has none, whoever listens on the same port here.
func listeners(addrs []string) []int {
	ports := map[string]bool{}
	for _, addr := range addrs {
		host, port, err := net.SplitHostPort(addr)
		if n, numeric := strconv.Atoi(port); err == nil && numeric == nil && isLocal(host) {
			ports[fmt.Sprintf("%04X", n)] = true
		}
	}
	sockets := listening(ports)
	if len(sockets) == 0 {
		return nil
	}
	var pids []int
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed
	for _, dir := range processes {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && holdsAny(dir, sockets) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func isLocal(host string) bool {
	ips, err := net.LookupIP(host)
	if err != nil {
		return false
	}
	own, _ := net.InterfaceAddrs() // unknown: loopback is still known
	for _, ip := range ips {
		if ip.IsLoopback() {
			return true
		}
		for _, a := range own {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(ip) {
				return true
			}
		}
	}
	return false
}

// listening gives the sockets, as links in /proc show them, that listen on the ports.
func listening(ports map[string]bool) map[string]bool {
	const stateListen, fieldAddr, fieldState, fieldInode = "0A", 1, 3, 9
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			fields := strings.Fields(line)
			if len(fields) <= fieldInode || fields[fieldState] != stateListen {
				continue
			}
			if _, port, ok := strings.Cut(fields[fieldAddr], ":"); ok && ports[port] {
				sockets["socket:["+fields[fieldInode]+"]"] = true
			}
		}
	}
	return sockets
}

func holdsAny(process string, sockets map[string]bool) bool {
	links, _ := filepath.Glob(process + "/fd/*") // those of others cannot be read
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && sockets[to] {
			return true
		}
	}
	return false
}

// release gives memory back to the system.
func release([][]byte) { debug.FreeOSMemory() }
