package real

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/node/nodetest"
	"github.com/tidemark-log/tidemark/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The clients of the simulator, unchanged, at real sockets and files.
func TestScenarioHoldsAtARealBroker(t *testing.T) {
	b := nodetest.Start(t)
	for _, name := range []string{"tour/k09-partition-order", "single/rare"} {
		s, err := scenarios.Load(name, "")
		require.NoError(t, err)
		opt := Options{Bootstrap: []string{b.Addr()}, Duration: 700 * time.Millisecond}
		r, err := Run(context.Background(), s, opt)
		require.NoError(t, err)
		require.Equal(t, scenarios.Green, r.Status, "%s\n%s", r.Verdict, r.Report)
		require.Positive(t, r.Counts["check/H8"])
		require.Positive(t, r.Counts["op/produce-ok"])
		bytes, err := history.Encode(r.History, nil)
		require.NoError(t, err)
		_, _, err = history.Decode(bytes)
		require.NoError(t, err)
	}
}

func TestRunAgainstNobodyEndsWithItsContext(t *testing.T) {
	s, err := scenarios.Load("tour/k09-partition-order", "")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = Run(ctx, s, Options{Bootstrap: []string{"127.0.0.1:1"}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
