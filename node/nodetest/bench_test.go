package nodetest_test

import (
	"testing"

	"github.com/tidemark-log/tidemark/node/nodetest"
)

// A test that wants a broker shall not think twice about it: Start in under 100 ms.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		broker := nodetest.Start(b)
		b.StopTimer()
		broker.Stop()
		b.StartTimer()
	}
}
