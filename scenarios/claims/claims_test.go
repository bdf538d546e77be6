package claims

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/scenarios"
)

var update = flag.Bool("update", false, "write generated pages instead of comparing them")

func TestClaimsPageIsInStepWithTheTables(t *testing.T) {
	const page = "../../docs/claims.md"
	var rows []*Row
	for _, name := range Names() {
		r, err := Load(name)
		require.NoError(t, err)
		rows = append(rows, r)
	}
	want := Page(rows)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run make docs")
}

type runner func(*scenarios.Scenario) func(seed uint64) *scenarios.Result

// fake makes runs of the cell that say what the case says.
func fake(counts map[string]int, status scenarios.Status) runner {
	return func(*scenarios.Scenario) func(uint64) *scenarios.Result {
		return func(seed uint64) *scenarios.Result {
			return &scenarios.Result{Seed: seed, Status: status, Counts: counts}
		}
	}
}

func cell(t *testing.T, name string) Cell {
	r, err := Load("R1")
	require.NoError(t, err)
	for _, c := range r.Cells() {
		if c.String() == name {
			return c
		}
	}
	t.Fatal("no cell ", name)
	return Cell{}
}

// Each verdict beside the nearest one that it must not be taken for.
func TestVerdictIsWhatWasShown(t *testing.T) {
	power, both := map[string]int{"fault/power": 1}, map[string]int{"fault/power": 1, "void/H1": 2, "void/H2": 1}
	for _, c := range []struct {
		name, cell string
		counts     map[string]int
		status     scenarios.Status
		want       Word
		code       int
	}{
		{"a fault and no loss", "power/group", power, scenarios.Green, Holds, 0},
		{"no fault and no loss", "power/group", nil, scenarios.Green, Unseen, 14},
		{"a loss where none may be", "power/group", both, scenarios.Green, Violated, 10},
		{"a broken promise", "power/group", power, scenarios.Violated, Violated, 10},
		{"a permitted loss", "power/os", both, scenarios.Green, MayLose, 0},
		{"a permitted loss that nobody saw", "power/os", power, scenarios.Green, Unseen, 14},
		{"a broken promise beside a permitted loss", "power/os", both, scenarios.Crashed, Violated, 12},
	} {
		v, err := Verify(Config{Seeds: 20, Runner: fake(c.counts, c.status)}, cell(t, c.cell))
		require.NoError(t, err)
		require.Equal(t, []Word{c.want, c.want}, v.Words, c.name)
		require.Equal(t, c.code, v.ExitCode(), c.name)
		require.Equal(t, c.code == 0, v.Why() == "", c.name)
	}
}
