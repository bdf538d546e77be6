package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// BinaryEnv names a binary to run in place of the one that is built from this source: a
// release, or a mutant that the tests must catch.
const BinaryEnv = "E2E_BINARY"

var build = sync.OnceValues(buildBinary)

// Binary builds the product once per test binary.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func buildBinary() (string, error) {
	if given := os.Getenv(BinaryEnv); given != "" {
		return filepath.Abs(given)
	}
	dir, err := os.MkdirTemp("", "tidemark-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tidemark")
	cmd := exec.Command("go", "build", "-o", path, "github.com/tidemark-log/tidemark/cmd/tidemark")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("stage: build: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return path, nil
}

// Main runs the tests of a package, prints the summary and removes what was built.
func Main(m *testing.M) {
	code := m.Run()
	Summary(os.Stdout)
	if path, err := build(); err == nil && os.Getenv(BinaryEnv) == "" {
		_ = os.RemoveAll(filepath.Dir(path)) // a folder of the system's temporary ones
	}
	os.Exit(code)
}

// Broker runs a broker for the length of the test; at its end it must stop cleanly. The
// properties are further lines of its server.properties.
func Broker(t testing.TB, properties ...string) *process.Broker {
	t.Helper()
	b, err := process.Start(t.Context(), Config(t, properties...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Config is a broker in a folder of the test. What it prints is shown if the test fails.
func Config(t testing.TB, properties ...string) process.Config {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "broker.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = log.Close() // read below by its name
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("what the broker said:\n%s", tail(text, 16<<10))
		}
	})
	return process.Config{Binary: Binary(t), Dir: t.TempDir(), Port: port, Log: log, Properties: properties}
}

func tail(text []byte, n int) []byte { return text[max(0, len(text)-n):] }

// FromEnv reads a size of the long form, or gives the short form's.
func FromEnv(t testing.TB, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Needs skips the test when a program of the outside world is not on the machine.
func Needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			Skip(t, program+" is not installed")
		}
	}
}
