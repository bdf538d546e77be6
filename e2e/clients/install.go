package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidemark-log/tidemark/e2e/kafka"
)

// Missing says what this machine lacks for a client.
type Missing struct{ What string }

func (m *Missing) Error() string { return m.What }

// Kind is a client that can be started, once its library is there.
type Kind struct {
	Name  string
	Start func(ctx context.Context, bootstrap string, log io.Writer) (Client, error)
}

// All lists the clients whose programs are in the folder dir: this package's.
func All(dir string) []Kind {
	python := func(program string) func(context.Context) ([]string, error) {
		return func(ctx context.Context) ([]string, error) {
			return installPython(ctx, filepath.Join(dir, "python"), program)
		}
	}
	golang := func(library string) func(context.Context) ([]string, error) {
		return func(ctx context.Context) ([]string, error) {
			return buildGo(ctx, filepath.Join(dir, "go"), library)
		}
	}
	return []Kind{
		{"franz-go", startFranz},
		{"sarama", running(golang("sarama"))},
		{"kafka-go", running(golang("kafka-go"))},
		{"confluent-kafka", running(python("confluent.py"))},
		{"kafka-python", running(python("pure.py"))},
		{"kafkajs", running(func(ctx context.Context) ([]string, error) {
			return installNode(ctx, filepath.Join(dir, "node"))
		})},
		{"kafka-clients", running(func(ctx context.Context) ([]string, error) {
			return installJava(ctx, filepath.Join(dir, "java"))
		})},
	}
}

// running is a Kind's Start of a program that install makes ready.
func running(
	install func(context.Context) ([]string, error),
) func(context.Context, string, io.Writer) (Client, error) {
	return func(ctx context.Context, bootstrap string, log io.Writer) (Client, error) {
		argv, err := install(ctx)
		if err != nil {
			return nil, err
		}
		return start(ctx, argv, bootstrap, log)
	}
}

func installPython(ctx context.Context, dir, program string) ([]string, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		return nil, &Missing{"python3 is not installed"}
	}
	wants := filepath.Join(dir, "requirements.txt")
	home, ready, err := cached("python", wants)
	if err != nil {
		return nil, err
	}
	interpreter := filepath.Join(home, "bin", "python")
	if !ready {
		if err := fetch(ctx, "", "python3", "-m", "venv", home); err != nil {
			return nil, err
		}
		if err := fetch(ctx, "", interpreter, "-m", "pip", "install", "-q", "-r", wants); err != nil {
			return nil, err
		}
		if err := finished(home); err != nil {
			return nil, err
		}
	}
	return []string{interpreter, filepath.Join(dir, program)}, nil
}

// installNode copies the program beside its libraries, where require looks for them.
func installNode(ctx context.Context, dir string) ([]string, error) {
	for _, needed := range []string{"node", "npm"} {
		if _, err := exec.LookPath(needed); err != nil {
			return nil, &Missing{needed + " is not installed"}
		}
	}
	wants := filepath.Join(dir, "package.json")
	home, ready, err := cached("node", wants)
	if err != nil {
		return nil, err
	}
	if !ready {
		if err := copyFile(wants, filepath.Join(home, "package.json")); err != nil {
			return nil, err
		}
		err := fetch(ctx, home, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
		if err != nil {
			return nil, err
		}
		if err := finished(home); err != nil {
			return nil, err
		}
	}
	program := filepath.Join(home, "client.js")
	return []string{"node", program}, copyFile(filepath.Join(dir, "client.js"), program)
}

// installJava runs the source as it is: the launcher compiles it.
func installJava(ctx context.Context, dir string) ([]string, error) {
	if _, err := exec.LookPath("javac"); err != nil {
		return nil, &Missing{"no Java compiler is installed"}
	}
	k, err := kafka.Install(ctx)
	if err != nil {
		return nil, &Missing{err.Error()}
	}
	return k.Java("-cp", k.ClassPath(), filepath.Join(dir, "Client.java")), nil
}

func buildGo(ctx context.Context, dir, library string) ([]string, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	if err := fetch(ctx, dir, "go", "mod", "download"); err != nil {
		return nil, err
	}
	binary := filepath.Join(cache, "go-client")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("clients: build: %w\n%s", err, out)
	}
	return []string{binary, library}, nil
}

// fetch runs a command that asks a registry. It fails where there is no registry, and that
// is this machine's lack and not the product's.
func fetch(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return &Missing{fmt.Sprintf("%s %s: %v: %s", name, args[0], err, lines[len(lines)-1])}
}

func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tidemark-e2e")
	return dir, os.MkdirAll(dir, 0o755)
}

// cached is the folder of what the file wants asks for: other contents, another folder. It
// is ready if an installation there came to its end.
func cached(name, wants string) (dir string, ready bool, err error) {
	text, err := os.ReadFile(wants)
	if err != nil {
		return "", false, err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", false, err
	}
	dir = filepath.Join(cache, fmt.Sprintf("%s-%x", name, sha256.Sum256(text))[:len(name)+13])
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return dir, true, nil
	}
	return dir, false, errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755))
}

func finished(dir string) error { return os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644) }

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, text) {
		return nil
	}
	return os.WriteFile(to, text, 0o644)
}
