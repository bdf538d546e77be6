package scenarios

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryScenarioThatComesWithTheProgramLoads(t *testing.T) {
	require.NotEmpty(t, Names())
	for _, name := range Names() {
		s, err := Load(name, "")
		require.NoError(t, err)
		require.Equal(t, name, s.Name)
		require.NotEmpty(t, s.Goals, "%s: a scenario without goals may prove nothing", name)
	}
}

// A mistake in a file is told with file, line, key and what was expected.
func TestMistakesInAScenarioAreExplained(t *testing.T) {
	const sound = "claim: it works\ntopics:\n  - {name: t}\n"
	for _, c := range []struct{ text, want string }{
		{"", "x.yaml: empty, want a scenario with a claim"},
		{"claim: [", "x.yaml: yaml: line 1"},
		{"topics:\n  - {name: t}\n", "x.yaml: claim: want the sentence that a green run supports"},
		{"claim: it works\n", "topics: want at least one topic or churn"},
		{sound + "fault: {kill: 2s}\n",
			"x.yaml: line 4: fault: unknown key (did you mean faults?); known are brokers, checks, claim"},
		{sound + "faults: {kil: 2s}\n",
			"x.yaml: line 4: faults.kil: unknown key (did you mean kill?); known are aimed"},
		{sound + "faults: {kill: often}\n", `x.yaml: line 4: want a duration like 20s or 300ms, got "often"`},
		{sound + "faults: 7\n", "x.yaml: line 4: faults: want keys and values: aimed"},
		{sound + "faults: {aimed: 2}\n", "x.yaml: faults: aimed: 2, want a chance from 0 to 1"},
		{sound + "faults: {fs: zfs}\n", `x.yaml: line 4: want one of drawn, ext4, strict, got "zfs"`},
		{sound + "log: {journal-files: [2, many]}\n", `x.yaml: line 4: want a whole number, got "many"`},
		{sound + "clients: {producers: {topic: t}}\n", "x.yaml: line 4: clients.producers: want a list"},
		{sound + "clients:\n  producers:\n    - {topic: t, acks: some}\n",
			`x.yaml: line 6: want one of -1, 0, 1, all, got "some"`},
		{sound + "clients: {readers: [{topic: u}]}\n", `reader of topic "u", which is not among the topics`},
		{sound + "clients: {producers: [{topic: t, acks: 1, idempotent: true}]}\n",
			"an idempotent producer needs acks -1"},
		{sound + "goals: {fault/kill: 0}\n", "goals: fault/kill: 0, want at least 1 per 1000 seeds"},
		{sound + "---\nclaim: another\n", "x.yaml: has a second document"},
		{sound + "claim: again\n", "already defined"},
	} {
		_, err := Parse("x.yaml", []byte(c.text))
		require.ErrorContains(t, err, c.want, "%s", c.text)
	}
	_, err := Load("single/crush", "")
	require.ErrorContains(t, err, ", single/crash, single/metadata, single/power, ")
}

func TestScenariosOfOneOwnsFolderAreFound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.yaml")
	require.NoError(t, os.WriteFile(path, []byte("claim: mine\ntopics: [{name: t}]\nduration: 3s\n"), 0o644))
	for _, name := range []string{"mine", "mine.yaml"} {
		s, err := Load(name, dir)
		require.NoError(t, err)
		require.Equal(t, Duration(3*time.Second), s.Duration)
	}
	s, err := Load(path, "")
	require.NoError(t, err)
	require.Equal(t, "mine", s.Claim)
}

func TestListsAreDrawnFromByKey(t *testing.T) {
	s, err := Parse("x.yaml", []byte("claim: c\ntopics:\n"+
		"  - {name: t, config: {internal.segment.bytes: [1, 2, 3], a: 7}}\n"))
	require.NoError(t, err)
	var asked []string
	cfg := s.Workload(func(what string, n int) int { asked = append(asked, what); return n - 1 })
	require.Equal(t, map[string]string{"internal.segment.bytes": "3", "a": "7"}, cfg.Topics[0].Configs)
	require.Equal(t, []string{"topic t internal.segment.bytes"}, asked)
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		b, _ := files.ReadFile(name + suffix)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = Parse("fuzz.yaml", b) })
}
