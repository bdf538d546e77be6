package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/scenarios/museum"
)

const museumDir = "scenarios/museum"

func main() {
	only := flag.String("only", "", "hunt only the mutants whose name contains this")
	build := flag.String("build", "", "only build the one mutant named by -only, to this path")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only, *build)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, build string) error {
	mutants, err := museum.Load(museumDir)
	if err != nil {
		return err
	}
	mutants = slices.DeleteFunc(mutants, func(m museum.Mutant) bool { return !strings.Contains(m.Name, only) })
	if len(mutants) == 0 {
		return fmt.Errorf("no mutant's name contains %q", only)
	}
	if build != "" {
		if len(mutants) != 1 {
			return fmt.Errorf("-build wants one mutant; %q names %d", only, len(mutants))
		}
		return mutants[0].Build(".", build)
	}
	return huntAll(ctx, mutants)
}

func huntAll(ctx context.Context, mutants []museum.Mutant) error {
	dir, err := os.MkdirTemp("", "tidemark-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var tried []int
	alive, strange := 0, 0
	for _, m := range mutants {
		binary := filepath.Join(dir, m.Name)
		if err := m.Build(".", binary); err != nil {
			return err
		}
		catch, err := m.Hunt(ctx, binary)
		if err != nil {
			return err
		}
		if catch == nil {
			alive++
			fmt.Printf("ALIVE   %-32s %s\n        not caught by %s within %d seeds\n",
				m.Name, m.Title, strings.Join(m.Scenarios, ", "), m.Seeds)
			continue
		}
		tried = append(tried, catch.Tried)
		fmt.Printf("caught  %-36s %s seed %d, median %d seeds\n        %s\n",
			m.Name, catch.Scenario, catch.Seed, catch.Tried, firstLine(catch.Verdict))
		if !m.Expected(catch) {
			strange++
			fmt.Printf("        STRANGE: expected to be caught by %s\n", m.Catcher)
		}
		_ = os.Remove(binary) // space only; the folder goes at the end
	}
	if len(tried) > 0 {
		slices.Sort(tried)
		fmt.Printf("%d of %d caught, median %d seeds\n", len(tried), len(mutants), tried[len(tried)/2])
	}
	if alive > 0 || strange > 0 {
		return fmt.Errorf("%d mutants alive, %d caught by another check than expected", alive, strange)
	}
	return nil
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first
}
