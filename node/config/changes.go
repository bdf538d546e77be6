package config

import (
	"maps"
	"slices"

	"github.com/tidemark-log/tidemark/core/metadata"
)

// Change is a key that a file read again sets to something else.
type Change struct {
	Key      string
	From, To string // as messages show them
	// Live tells that the new value can count at once; else it needs a restart.
	Live bool
}

// Changes lists the keys in which two configurations differ, by name.
func Changes(from, to *Config) []Change {
	var all []Change
	for _, sets := range [][2]map[string]string{{from.Static, to.Static}, {from.Own, to.Own}} {
		keys := maps.Clone(sets[0])
		maps.Copy(keys, sets[1])
		for key := range keys {
			before, was := sets[0][key]
			after, is := sets[1][key]
			if before == after && was == is {
				continue
			}
			k := keyNamed(key)
			all = append(all, Change{
				Key: key, From: changeShown(k, before, was), To: changeShown(k, after, is), Live: isLive(k),
			})
		}
	}
	slices.SortFunc(all, func(a, b Change) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return all
}

// isLive tells keys whose value in the file may change while the broker runs: those that
// clients may change, but for what exists per listener.
func isLive(k *metadata.ConfigKey) bool { return k.Dynamic && !k.Prefixed }

func changeShown(k *metadata.ConfigKey, value string, isSet bool) string {
	switch {
	case !isSet && k.NoDefault:
		return "not set"
	case !isSet:
		return shown(k.Default) + " (default)"
	case k.Sensitive():
		return "[hidden]"
	}
	return shown(value)
}
