package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChangesTellWhatNeedsARestart(t *testing.T) {
	before, err := Parse("f", "node.id=1\nlog.retention.ms=1000\nnum.partitions=1\nssl.keystore.password=old\n"+
		"tidemark.journal.files=4\nlog.segment.bytes=1048576\n")
	require.NoError(t, err)
	after, err := Parse("f", "node.id=1\nlog.retention.ms=2000\nnum.partitions=3\nssl.keystore.password=new\n"+
		"log.roll.ms=5000\nlog.segment.bytes=1048576\n")
	require.NoError(t, err)
	require.Equal(t, []Change{
		{"log.retention.ms", "1000", "2000", true},
		{"log.roll.ms", "not set", "5000", true},
		{"num.partitions", "1", "3", false},
		{"ssl.keystore.password", "[hidden]", "[hidden]", false},
		{"tidemark.journal.files", "4", "16 (default)", false},
	}, Changes(before, after))
	require.Empty(t, Changes(after, after))
}
