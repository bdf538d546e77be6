package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

var binary string

// TestMain builds the product once, as a user would.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tidemark-e2e-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "tidemark")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/tidemark").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// startBroker runs a broker for the length of the test; at its end it must stop cleanly.
func startBroker(t *testing.T) *process.Broker {
	t.Helper()
	cfg := brokerConfig(t)
	b, err := process.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Stop(context.Background())) })
	return b
}

func brokerConfig(t *testing.T) process.Config {
	t.Helper()
	port, err := process.FreePort()
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "broker.log"))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("what the broker said:\n%s", text)
		}
	})
	return process.Config{Binary: binary, Dir: t.TempDir(), Port: port, Log: log}
}

// fromEnv reads a size of the long form, or the short form's.
func fromEnv(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// needs skips the test when a program of the outside world is not on the machine.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("skipped: %s is not installed", program)
	}
}
