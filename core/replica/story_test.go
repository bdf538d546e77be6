package replica_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// script is what the rigs of all stories have in common: the line that is being told, and what
// it shows.
type script struct {
	t   *testing.T
	d   *datadriven.TestData
	out strings.Builder
}

// tell runs the scripts of a folder, each with a rig of its own.
func tell(t *testing.T, folder string, begin func() (s *script, command func())) {
	datadriven.Walk(t, folder, func(t *testing.T, path string) {
		s, command := begin()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			s.out.Reset()
			command()
			return s.out.String()
		})
	})
}

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// arg reads one of a line's arguments, which it need not have.
func arg[T any](s *script, key string, otherwise T) T {
	if s.d.HasArg(key) {
		s.d.ScanArgs(s.t, key, &otherwise)
	}
	return otherwise
}
