package museum

import (
	"go/parser"
	"go/token"
	"testing"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
	"github.com/stretchr/testify/require"
)

// Every mutant still applies to today's sources and leaves Go that parses. A patch that no
// longer applies is a bug the simulator is no longer tested against.
func TestEveryMutantStillApplies(t *testing.T) {
	mutants, err := Load(".")
	require.NoError(t, err)
	require.NotEmpty(t, mutants)
	for _, m := range mutants {
		t.Run(m.Name, func(t *testing.T) {
			patched, err := m.Patched("../..")
			require.NoError(t, err)
			for name, text := range patched {
				_, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
				require.NoError(t, err)
			}
		})
	}
}

func TestFragmentIsFoundByItsContext(t *testing.T) {
	fragment := &gitdiff.TextFragment{Lines: []gitdiff.Line{
		{Op: gitdiff.OpContext, Line: "b\n"},
		{Op: gitdiff.OpDelete, Line: "c\n"},
		{Op: gitdiff.OpAdd, Line: "C\n"},
	}}
	text, err := replaceFragment("x\na\nb\nc\nd\n", fragment)
	require.NoError(t, err)
	require.Equal(t, "x\na\nb\nC\nd\n", text)

	_, err = replaceFragment("a\nb\nd\n", fragment)
	require.ErrorContains(t, err, "no longer applies")
	_, err = replaceFragment("b\nc\nb\nc\n", fragment)
	require.ErrorContains(t, err, "more than one place")
}
