package metrics

import (
	"github.com/tidemark-log/tidemark/core/broker"
)

var nodeFamilies = []family{
	{
		name: "tidemark_info", kind: gauge, labels: []string{"version", "node_id", "cluster_id"},
		help: "Always 1; its labels say who this is. cluster_id is empty until recovery is through.",
		read: func(s *Snapshot, out *sink) {
			cluster := ""
			if s.Broker != nil {
				cluster = s.Broker.Cluster
			}
			out.add(1, s.Version, s.NodeID.String(), cluster)
		},
	},
	{
		name: "tidemark_ready", kind: gauge,
		help: "1 while clients are served: recovery is through, the broker is registered and does not stop.",
		read: func(s *Snapshot, out *sink) { out.add(float64(oneIf(s.Broker != nil && s.Broker.Ready))) },
	},
	{
		name: "tidemark_loop_responsive", kind: gauge,
		help: "0 if the event loop did not answer the scrape in time; most metrics are missing then.",
		read: func(s *Snapshot, out *sink) { out.add(float64(oneIf(s.Answered))) },
	},
	{
		name: "tidemark_broker_epoch", kind: gauge,
		help: "The epoch under which the broker is registered; it grows with each start.",
		read: number(func(s *broker.Stats) int64 { return int64(s.Epoch) }),
	},
}

var recoveryFamilies = []family{
	{
		name: "tidemark_recovering_bytes", kind: gauge, labels: []string{"directory", "phase"},
		help: "Bytes done in the phase that recovery is in. Missing when recovery is through.",
		read: func(s *Snapshot, out *sink) {
			if p := s.Recovering; p != nil {
				out.add(float64(p.Bytes), p.Path, p.Phase.String())
			}
		},
	},
	{
		name: "tidemark_recovering_total_bytes", kind: gauge, labels: []string{"directory", "phase"},
		help: "Bytes that this phase of recovery has to do, at most.",
		read: func(s *Snapshot, out *sink) {
			if p := s.Recovering; p != nil {
				out.add(float64(p.BytesTotal), p.Path, p.Phase.String())
			}
		},
	},
	{
		name: "tidemark_recovery_seconds", kind: gauge, labels: []string{"directory"},
		help: "How long the last start took to recover this log directory.",
		read: func(s *Snapshot, out *sink) {
			if s.Broker == nil {
				return
			}
			for i := range s.Broker.Dirs {
				d := &s.Broker.Dirs[i]
				out.add(d.Recovery.Duration.Seconds(), d.Path)
			}
		},
	},
	{
		name: "tidemark_recovery_clean", kind: gauge, labels: []string{"directory"},
		help: "1 if the stop before was clean, 0 after a crash and in a new directory.",
		read: perDirectory(func(d *broker.DirStats) int { return oneIf(d.Recovery.Clean) }),
	},
	{
		name: "tidemark_recovery_logs", kind: gauge, labels: []string{"directory"},
		help: "Logs that were there.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Recovery.Logs }),
	},
	{
		name: "tidemark_recovery_journal_bytes", kind: gauge, labels: []string{"directory"},
		help: "Bytes of the journal that were replayed.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Recovery.Journal.Bytes }),
	},
	{
		name: "tidemark_recovery_scanned_bytes", kind: gauge, labels: []string{"directory"},
		help: "Bytes of segments that were read back and checked.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Recovery.BytesScanned }),
	},
	{
		name: "tidemark_recovery_cut_bytes", kind: gauge, labels: []string{"directory"},
		help: "Bytes of torn, never acknowledged tail that were cut; of logs with flush.policy=os also what " +
			"a power loss took.",
		read: perDirectory(func(d *broker.DirStats) int64 { return d.Recovery.CutBytes }),
	},
	{
		name: "tidemark_recovery_rebuilt_indexes", kind: gauge, labels: []string{"directory"},
		help: "Indexes that were missing, damaged or behind, and were made anew.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Recovery.IndexesRebuilt }),
	},
	{
		name: "tidemark_recovery_damages", kind: gauge, labels: []string{"directory"},
		help: "Places where stored bytes are not what was written. They are kept and never served; the log " +
			"names them.",
		read: perDirectory(func(d *broker.DirStats) int { return d.Recovery.DamageCount }),
	},
	{
		name: "tidemark_recovery_strays", kind: gauge, labels: []string{"directory"},
		help: "Folders set aside at the last start because the metadata knows no such topic.",
		read: perDirectory(func(d *broker.DirStats) int { return len(d.Recovery.Strays) }),
	},
}

var connectionFamilies = []family{
	{
		name: "tidemark_connections", kind: gauge,
		help: "Client connections open now.",
		read: number(func(s *broker.Stats) int { return s.Conns }),
	},
	{
		name: "tidemark_connections_accepted_total", kind: counter,
		help: "Client connections taken.",
		read: number(func(s *broker.Stats) uint64 { return s.Loop.ConnsAccepted }),
	},
	{
		name: "tidemark_connections_closed_total", kind: counter,
		help: "Client connections that ended, for whatever reason.",
		read: number(func(s *broker.Stats) uint64 { return s.Loop.ConnsClosed }),
	},
	{
		name: "tidemark_connections_idle_closed_total", kind: counter,
		help: "Client connections ended by connections.max.idle.ms.",
		read: number(func(s *broker.Stats) uint64 { return s.Loop.ConnsIdle }),
	},
	{
		name: "tidemark_connections_broken_total", kind: counter,
		help: "Client connections ended because a request could not be understood.",
		read: number(func(s *broker.Stats) uint64 { return s.API.Closed }),
	},
	{
		name: "tidemark_connections_refused_total", kind: counter,
		help: "Connections beyond max.connections or max.connections.per.ip, and those that came during a stop.",
		read: func(s *Snapshot, out *sink) {
			n := s.ConnsRefused
			if s.Broker != nil {
				n += s.Broker.Loop.ConnsRefused
			}
			out.add(float64(n))
		},
	},
	{
		name: "tidemark_connections_paused_total", kind: counter,
		help: "Times a connection was read no further because too much of it was under way.",
		read: number(func(s *broker.Stats) uint64 { return s.Loop.Paused }),
	},
}

var memoryFamilies = []family{
	{
		name: "tidemark_buffers_held_bytes", kind: gauge,
		help: "Memory in pooled buffers that hold something: requests, the tail cache, replies under way. " +
			"Not in the Go heap.",
		read: func(s *Snapshot, out *sink) { out.add(float64(s.BuffersHeld)) },
	},
	{
		name: "tidemark_buffers_idle_bytes", kind: gauge,
		help: "Memory in pooled buffers kept for reuse.",
		read: func(s *Snapshot, out *sink) { out.add(float64(s.BuffersIdle)) },
	},
}
