package config

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/metadata"
)

func TestFilesAreReadOrRefusedWithAReason(t *testing.T) {
	for _, name := range []string{"testdata/accepted", "testdata/mistakes", "testdata/environment"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			datadriven.RunTest(t, name, func(t *testing.T, d *datadriven.TestData) string {
				file, variables := split(d.Input)
				cfg, err := parse("server.properties", file, variables)
				if err != nil {
					return err.Error() + "\n"
				}
				return describe(cfg)
			})
		})
	}
}

var variable = regexp.MustCompile(`^[A-Z]+_`)

// split tells the variables of a case from the lines of its file.
func split(input string) (file string, variables []string) {
	for line := range strings.Lines(input) {
		if variable.MatchString(line) {
			variables = append(variables, strings.TrimSuffix(line, "\n"))
			line = "\n"
		}
		file += line
	}
	return file, variables
}

func describe(c *Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "node %d", c.NodeID)
	if c.Rack != "" {
		fmt.Fprintf(&b, " rack=%s", c.Rack)
	}
	fmt.Fprintf(&b, " logs=%s\n", strings.Join(c.LogDirs, ","))
	for _, l := range c.Clients {
		fmt.Fprintf(&b, "client %s at %q told %q\n", l.Name, address(l.Host, l.Port),
			address(l.AdvertisedHost, l.AdvertisedPort))
	}
	if c.Peer != nil {
		fmt.Fprintf(&b, "peer %s at %q\n", c.Peer.Name, address(c.Peer.Host, c.Peer.Port))
	} else {
		b.WriteString("no peer listener\n")
	}
	fmt.Fprintf(&b, "request=%d idle=%s journal=%dx%d cache=%d\n", c.Net.RequestBytesMax, c.Net.IdleMax,
		c.Log.JournalFiles, c.Log.JournalFileBytes, c.Log.TailCacheBytes)
	if c.AdminChosen {
		fmt.Fprintf(&b, "admin at %q\n", c.Admin)
	}
	if len(c.FromEnvironment) > 0 {
		fmt.Fprintf(&b, "environment sets %s\n", strings.Join(c.FromEnvironment, ", "))
	}
	for _, w := range c.Warnings {
		b.WriteString("warning: " + w + "\n")
	}
	return b.String()
}

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

func TestKafkasSampleFileStartsANode(t *testing.T) {
	cfg, err := Load("testdata/kafka-kraft.properties", nil)
	require.NoError(t, err)
	require.Empty(t, cfg.Warnings)
	require.EqualValues(t, 1, cfg.NodeID)
	require.Equal(t, []Listener{
		{
			Name: "PLAINTEXT", Port: 9092,
			AdvertisedHost: "localhost", AdvertisedPort: 9092, Advertised: true,
		},
	}, cfg.Clients)
	require.Equal(t, "CONTROLLER", cfg.Peer.Name)
	require.Equal(t, "168", cfg.Static["log.retention.hours"])
	// What the broker makes of it must hold there too.
	_, err = metadata.NewResolver(cfg.NodeID, cfg.Static)
	require.NoError(t, err)
}

// Every default must be something the same table accepts and this package can read.
func TestDefaultsAreValid(t *testing.T) {
	for _, k := range slices.Concat(metadata.BrokerConfigKeys(), ownKeys) {
		if why := k.Validate(k.Default); why != "" && !k.NoDefault {
			t.Errorf("%s: %s", k.Name, why)
		}
	}
	_, err := Parse("server.properties", "node.id=0")
	require.NoError(t, err)
}

func TestOwnKeysAreNotKafkas(t *testing.T) {
	for _, k := range ownKeys {
		require.True(t, strings.HasPrefix(k.Name, ownPrefix))
		require.Nil(t, metadata.BrokerConfigKey(k.Name))
	}
}

func TestStaticHoldsWhatTheFileSetsAndNothingElse(t *testing.T) {
	cfg, err := Parse("server.properties", "node.id=1\nnum.partitions=3\ntidemark.journal.files=4\n")
	require.NoError(t, err)
	require.Equal(t, []string{"node.id", "num.partitions"}, slices.Sorted(maps.Keys(cfg.Static)))
}

func TestFilesOfTheWrongKindAreRefusedBriefly(t *testing.T) {
	for name, text := range map[string]string{
		"a device":       strings.Repeat("x", fileBytesMax+1),
		"too many keys":  strings.Repeat("k=v\n", entriesMax+1),
		"a binary":       "\x00\x01\xff\xfe=\x80\n",
		"many mistakes":  strings.Repeat("nonsense=1\n", entriesMax),
		"a long value":   "num.partitions=" + strings.Repeat("9", 1<<16),
		"a long key":     strings.Repeat("k", 1<<16) + "=1",
		"many listeners": "node.id=1\nlisteners=" + strings.Repeat("A://:1,", 100) + "B://:1",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", text)
			require.Error(t, err)
			require.Less(t, len(err.Error()), 8<<10)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "missing"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
