package engine

import (
	"math"
	"math/bits"
	"time"
)

// Choice is a scope of keyed decisions: a path purpose/scope/object hashed together with
// the seed. The last part of the key, the ordinal, is an argument of each question. Two
// questions with the same path and ordinal get the same answer; all others are
// independent. A Choice is a plain value: derive it once and keep it near its object.
//
// Zero is the calm answer everywhere: no fault, the base delay. So a run that decides only
// the keys of a tape, and zero for all others, is calm but for the tape.
type Choice struct{ key uint64 }

// NewChoice returns the root of all decisions of a seed.
func NewChoice(seed uint64) Choice { return Choice{mix(seed, 0x9e3779b97f4a7c15)} }

// Of descends by a name: a purpose, a host, a file.
func (c Choice) Of(name string) Choice {
	h := c.key
	for i := 0; i < len(name); i++ {
		h = mix(h^uint64(name[i]), uint64(i))
	}
	return Choice{mix(h, ^uint64(len(name)))}
}

// Num descends by a number: the number of a connection, a partition.
func (c Choice) Num(n uint64) Choice { return Choice{mix(c.key, n^0xd6e8feb86659fd93)} }

// Uint64 answers question n of this scope.
func (c Choice) Uint64(n uint64) uint64 { return mix(mix(c.key, n^0xa0761d6478bd642f), n) }

// Chance is true with probability p.
func (c Choice) Chance(n uint64, p float64) bool { return p > 0 && Unit(c.Uint64(n)) >= 1-p }

// Below is uniform in [0, bound); 0 for a bound of 0.
func (c Choice) Below(n, bound uint64) uint64 {
	hi, _ := bits.Mul64(c.Uint64(n), bound)
	return hi
}

// Between is uniform in [lo, hi].
func (c Choice) Between(n uint64, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(c.Below(n, uint64(hi-lo)+1))
}

// LogBetween is log-uniform in [lo, hi]; lo must be positive.
func (c Choice) LogBetween(n uint64, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return time.Duration(float64(lo) * math.Exp(Unit(c.Uint64(n))*math.Log(float64(hi)/float64(lo))))
}

// Exp is an exponential length with the given mean, at most 37 times the mean.
func (c Choice) Exp(n uint64, mean time.Duration) time.Duration {
	return time.Duration(-math.Log(1-Unit(c.Uint64(n))) * float64(mean))
}

// Until is the time to the next event of a process with the given mean: as Exp, but its
// calm answer is the far end.
func (c Choice) Until(n uint64, mean time.Duration) time.Duration {
	return time.Duration(-math.Log(Unit(c.Uint64(n))+1.0/(1<<53)) * float64(mean))
}

// Unit maps a decision to [0, 1).
func Unit(v uint64) float64 { return float64(v>>11) / (1 << 53) }

// mix is the heart of wyhash: one multiplication, both halves folded.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xe7037ed1a0b428db, b^0x8ebc6af09c88c6e3)
	return hi ^ lo
}
