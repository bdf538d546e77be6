package outside

import (
	crand "crypto/rand" // want `import "crypto/rand": random choices come from env.Rand`
	"hash/fnv"
	"hash/maphash" // want `import "hash/maphash": its seed differs`
	"io"
	"math/rand"
	randv2 "math/rand/v2"
	"net"     // want `import "net": the network is reached through env.Net`
	"net/url" // want `import "net/url"`
	"os"      // want `import "os": files are reached through env.Disk`
	"runtime" // want `import "runtime"`
	"time"
)

var (
	_ = crand.Reader
	_ maphash.Hash
	_ net.Conn
	_ url.URL
	_ io.Reader
	_ = os.Args
	_ = runtime.NumCPU
)

func clocks(at time.Time) time.Duration {
	_ = time.Now()     // want `time.Now: time is an argument`
	f := time.Since    // want `time.Since`
	time.Sleep(1)      // want `time.Sleep`
	_ = time.NewTimer  // want `time.NewTimer`
	_ = time.AfterFunc // want `time.AfterFunc`
	_ = time.Tick      // want `time.Tick`
	_ = time.Until(at) // want `time.Until`
	_ = time.Local     // want `time.Local`
	_ = time.Unix(1, 0).UTC()
	_ = at.Sub(at)
	return f(at) + 3*time.Second
}

func dice() uint64 {
	_ = rand.Intn(6)                        // want `rand.Intn: random choices come from env.Rand`
	_ = randv2.N(6)                         // want `rand.N: random`
	_ = rand.New(rand.NewSource(1)).Intn(6) // a source of its own, by seed
	h := fnv.New64a()
	return randv2.New(randv2.NewPCG(1, 2)).Uint64() + h.Sum64()
}
