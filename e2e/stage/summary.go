package stage

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"
)

var met struct {
	sync.Mutex // guards what follows
	versions   map[string]string
	skipped    []string
}

// Met notes that a client or tool of that version took part.
func Met(name, version string) {
	met.Lock()
	defer met.Unlock()
	if met.versions == nil {
		met.versions = map[string]string{}
	}
	met.versions[name] = version
}

// Skip ends the test and says in one line what the machine lacks.
func Skip(t testing.TB, why string) {
	t.Helper()
	met.Lock()
	met.skipped = append(met.skipped, t.Name()+": "+why)
	met.Unlock()
	t.Skip("skipped: " + why)
}

// Summary prints which versions took part and which tests were skipped. It is silent if
// neither was said.
func Summary(out io.Writer) {
	met.Lock()
	defer met.Unlock()
	if len(met.versions) > 0 {
		fmt.Fprintln(out, "\nversions that took part:")
		for _, name := range slices.Sorted(maps.Keys(met.versions)) {
			fmt.Fprintf(out, "  %-24s %s\n", name, met.versions[name])
		}
	}
	if len(met.versions)+len(met.skipped) == 0 {
		return
	}
	if len(met.skipped) == 0 {
		fmt.Fprintln(out, "nothing was skipped")
		return
	}
	fmt.Fprintln(out, "skipped:")
	for _, line := range met.skipped {
		fmt.Fprintln(out, "  "+line)
	}
}
