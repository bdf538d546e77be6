package simnet

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Config is the character of a network. The zero value is a calm one: DelayMax 0 means a
// fixed 100 µs each way, all chances are 0. Durations without bound name their default.
type Config struct {
	// DelayMin and DelayMax bound the constant of each directed link. Default: both 100 µs.
	DelayMin, DelayMax time.Duration
	// Jitter is added to each frame, uniform from 0. Default: none.
	Jitter time.Duration
	// TailChance is the chance of a frame to wait for TailMin…TailMax (log-uniform) more.
	TailChance       float64
	TailMin, TailMax time.Duration
	// BytesPerSecond is the capacity of a link; 0: without bound.
	BytesPerSecond int64
	// SendBuffer bounds the bytes of a connection and direction that the receiver has not
	// taken yet; above it Send returns false. Default: SendBufferDefault.
	SendBuffer int

	// ResetMean is the mean life of a connection before a fault resets it; 0: never.
	ResetMean time.Duration
	// ResetTellMax bounds how much later than the reset each end learns of it.
	ResetTellMax time.Duration
	// HalfOpen is the share of resets of which only one end is told.
	HalfOpen float64

	// DialRefused, DialSilent and DialReset are the chances that a dial to a host that
	// listens is refused, is never answered, or is reset before the first byte.
	DialRefused, DialSilent, DialReset float64
	// DialTimeout is how long an unanswered dial takes to fail. Default: 10 s.
	DialTimeout time.Duration

	// ClogMean is the mean time between clogs of a connection, per direction, and ClogFor the
	// mean length of one: nothing is sent, nothing lost. 0: never; the length: 1 s.
	ClogMean, ClogFor time.Duration
	// Linger is the chance that what was under way on a connection when its process closed
	// it arrives up to LingerMax later, beside newer connections. Default: 30 s.
	Linger    float64
	LingerMax time.Duration
	// ReplyLost is the chance of a frame that the dialed end sends to be lost with a reset.
	ReplyLost float64
	// NarrowChance is the share of links that are a narrow pipe for good: 10 kB/s to 1 GB/s
	// (log-uniform), 4 kB to 4 MB under way.
	NarrowChance float64
	// Corrupt is the chance of a frame to arrive with one bit flipped, behind its first
	// CorruptFrom bytes: no checksum of the transport notices. Never drawn.
	Corrupt float64

	// PartitionMean, CutMean and SwizzleMean are the mean times between the begins of a
	// partition of a drawn shape, of a one-way cut of a drawn pair, and of a swizzle; 0:
	// never. Modes are drawn: one third each.
	PartitionMean, CutMean, SwizzleMean time.Duration
	// CutMin and CutMax bound the length of partitions and cuts (log-uniform). Default:
	// 100 ms and 120 s.
	CutMin, CutMax time.Duration

	// FrameMax closes a connection that carries a longer frame. Default: FrameMaxDefault.
	FrameMax int
}

func (c Config) withDefaults() Config {
	if c.DelayMax == 0 {
		c.DelayMin, c.DelayMax = 100*time.Microsecond, 100*time.Microsecond
	}
	if c.SendBuffer == 0 {
		c.SendBuffer = SendBufferDefault
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 10 * time.Second
	}
	if c.ClogFor == 0 {
		c.ClogFor = time.Second
	}
	if c.LingerMax == 0 {
		c.LingerMax = 30 * time.Second
	}
	if c.CutMax == 0 {
		c.CutMin, c.CutMax = 100*time.Millisecond, 120*time.Second
	}
	if c.FrameMax == 0 {
		c.FrameMax = FrameMaxDefault
	}
	return c
}

// Drawn returns a network with faults, by the decisions of c: one of a swarm.
func Drawn(c engine.Choice) Config {
	c = c.Of("net.config")
	cfg := Config{
		Jitter:       c.LogBetween(0, 50*time.Microsecond, time.Millisecond),
		DelayMax:     c.LogBetween(1, 100*time.Microsecond, 20*time.Millisecond),
		SendBuffer:   int(c.LogBetween(2, 4<<10, 4<<20)),
		ResetTellMax: c.LogBetween(3, time.Millisecond, time.Second),
	}
	if c.Chance(4, 0.5) { // long tail
		cfg.TailChance = 0.05 * engine.Unit(c.Uint64(5))
		cfg.TailMin, cfg.TailMax = 10*time.Millisecond, 5*time.Second
	}
	if c.Chance(6, 0.5) {
		cfg.ResetMean = c.LogBetween(7, 5*time.Second, 600*time.Second)
		cfg.HalfOpen = 0.6 * engine.Unit(c.Uint64(8))
	}
	if c.Chance(9, 0.5) {
		cfg.DialRefused = 0.2 * engine.Unit(c.Uint64(10))
		cfg.DialSilent = 0.1 * engine.Unit(c.Uint64(11))
		cfg.DialReset = 0.1 * engine.Unit(c.Uint64(12))
	}
	if c.Chance(13, 0.1) {
		cfg.BytesPerSecond = int64(c.LogBetween(14, 10<<10, 1<<30))
	}
	return cfg
}

// DrawStreams adds what happens to single connections, by the decisions of c: clogs, late
// frames of old ones, lost replies, narrow pipes.
func (c *Config) DrawStreams(choice engine.Choice) {
	choice = choice.Of("net.config.streams")
	if choice.Chance(0, 0.5) {
		c.ClogMean = choice.LogBetween(1, 50*time.Second, 1000*time.Second)
		c.ClogFor = choice.LogBetween(2, 50*time.Millisecond, 5*time.Second)
	}
	if choice.Chance(3, 0.5) {
		c.Linger = 0.3 * engine.Unit(choice.Uint64(4))
		c.LingerMax = choice.LogBetween(5, 10*time.Millisecond, 30*time.Second)
	}
	if choice.Chance(6, 0.5) {
		c.ReplyLost = 0.1 * engine.Unit(choice.Uint64(7)) * engine.Unit(choice.Uint64(8))
	}
	if choice.Chance(9, 0.2) {
		c.NarrowChance = engine.Unit(choice.Uint64(10))
	}
}

// DrawPartitions adds partitions, one-way cuts and swizzles, by the decisions of c.
func (c *Config) DrawPartitions(choice engine.Choice) {
	choice = choice.Of("net.config.partitions")
	c.PartitionMean = choice.LogBetween(0, 5*time.Second, 120*time.Second)
	if choice.Chance(1, 0.5) {
		c.CutMean = choice.LogBetween(2, 5*time.Second, 120*time.Second)
	}
	if choice.Chance(3, 0.3) {
		c.SwizzleMean = choice.LogBetween(4, 20*time.Second, 300*time.Second)
	}
}

// Listener is an address a host answers at while its process runs.
type Listener struct {
	Class env.Class
	Name  string // as ConnInfo.Listener gives it
	Addr  string // host:port, one host per address
}
