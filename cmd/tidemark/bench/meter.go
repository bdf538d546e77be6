package bench

import (
	"os"
	"time"
)

// meter tells what a stretch of load cost: the server's processor time and memory, and the
// generator's own processor time, which competes with it on a small machine. Figures about a
// server that is not on this machine are left out.
type meter struct {
	pids                   []int
	began                  time.Time
	server, self, stolen   float64
	knowsServer, knowsHost bool
}

func newMeter(t Target) *meter { return &meter{pids: listeners(t.Addrs)} }

func (m *meter) start() {
	m.server, m.knowsServer = cpuSeconds(m.pids...)
	m.self, _ = cpuSeconds(os.Getpid())
	m.stolen, m.knowsHost = stolenSeconds()
	m.began = time.Now()
}

// stop gives the figures for so many records and bytes moved since start.
func (m *meter) stop(records, bytes int64) Figures {
	seconds := time.Since(m.began).Seconds()
	server, _ := cpuSeconds(m.pids...)
	self, knowsSelf := cpuSeconds(os.Getpid())
	stolen, _ := stolenSeconds()
	figures := Figures{
		{Throughput, float64(bytes) / megabyte / seconds},
		{"krecords_per_s", float64(records) / perThousand / seconds},
	}
	if m.knowsServer {
		used := server - m.server
		if records > 0 {
			figures = append(figures, Figure{CPUPerGB, used / (float64(bytes) / gigabyte)},
				Figure{"server_cpu_s_per_mrecord", used / (float64(records) / megabyte)})
		}
		resident, _ := residentBytes(m.pids...)
		figures = append(figures, Figure{"server_cores", used / seconds}, Figure{Resident, resident / megabyte})
	}
	if knowsSelf {
		figures = append(figures, Figure{"generator_cores", (self - m.self) / seconds})
	}
	if m.knowsHost {
		figures = append(figures, Figure{"stolen_cores", (stolen - m.stolen) / seconds})
	}
	return figures
}

// touch writes to memory the process does not have yet, and gives it back. On a virtual
// machine that has lent its free memory to its host this makes the next gigabytes quick
// to get for whoever comes next.
func touch(bytes int64) {
	const piece = 64 << 20
	var held [][]byte
	for ; bytes > 0; bytes -= piece {
		b := make([]byte, min(bytes, piece))
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
	}
	release(held)
}
