package log

import (
	"github.com/tidemark-log/tidemark/core/trace"
)

// The decisions of a log. The simulator's ledger lives on append, durable, truncate and
// recovered; docs/trace.md has the grammar.
var (
	traceAppend     = trace.Define("log.append", "base", "next", "epoch", "crc")
	traceDurable    = trace.Define("log.durable", "from", "to")
	traceRoll       = trace.Define("log.roll", "base", "closed", "bytes")
	traceTruncate   = trace.Define("log.truncate", "from", "to")
	traceStart      = trace.Define("log.start", "from", "to")
	traceExpired    = trace.Define("log.expired", "from", "to", "segments", "wall")
	traceTrimmed    = trace.Define("log.trimmed", "from", "to", "segments")
	traceEpoch      = trace.Define("log.epoch", "epoch", "start")
	traceCreated    = trace.Define("log.created", "start", "dir")
	traceDeleted    = trace.Define("log.deleted", "end")
	traceRemoved    = trace.Define("log.removed")
	traceRecovered  = trace.Define("log.recovered", "start", "end", "cut", "damages")
	traceCheckpoint = trace.Define("log.checkpoint", "seq", "logs")
	traceOffline    = trace.Define("log.offline", "dir")
	traceOpened     = trace.Define("log.opened", "logs", "groups", "torn", "damages")
	traceClosed     = trace.Define("log.closed", "logs")
	traceDamaged    = trace.Define("log.damaged", "segment", "pos") // found when read
	traceTight      = trace.Define("log.tight", "tight", "free")
	traceAhead      = trace.Define("log.ahead", "from", "next", "bytes")
	tracePolicy     = trace.Define("log.policy", "os", "from")
)

func (l *Log) trace(k trace.Kind, a, b, c, d int64) {
	l.dir.env.Tracer.Trace(trace.Event{
		At: int64(l.dir.env.Clock.Now()), Node: int32(l.dir.cfg.Node), Kind: k,
		Topic: l.tp.Topic, Partition: l.tp.Partition, N: [4]int64{a, b, c, d},
	})
}

func (d *Dir) trace(k trace.Kind, text string, n [4]int64) {
	d.env.Tracer.Trace(trace.Event{
		At: int64(d.env.Clock.Now()), Node: int32(d.cfg.Node), Kind: k,
		Topic: "dir", Partition: -1, N: n, Text: text,
	})
}
