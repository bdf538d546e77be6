package metadata

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// ConfigType is the type of a config value, in the numbers of DescribeConfigs.
type ConfigType int8

// The config types.
const (
	ConfigBool     ConfigType = 1
	ConfigString   ConfigType = 2
	ConfigInt      ConfigType = 3
	ConfigShort    ConfigType = 4
	ConfigLong     ConfigType = 5
	ConfigDouble   ConfigType = 6
	ConfigList     ConfigType = 7
	ConfigClass    ConfigType = 8
	ConfigPassword ConfigType = 9
)

// ConfigKey defines one configuration key.
type ConfigKey struct {
	Name    string
	Type    ConfigType
	Default string
	// NoDefault tells that the key has no value unless one is set.
	NoDefault bool
	Doc       string

	Min, Max  float64  // of numbers, both inclusive
	Values    []string // allowed values, or list entries; nil allows every one
	NonEmpty  bool     // a list must have entries
	Check     func(value string) string
	Dynamic   bool // a broker key that may change while the broker runs
	PerBroker bool // a dynamic key that has no default for all brokers
	Prefixed  bool // a dynamic key that may change for one listener only, by its prefix
	Internal  bool // accepted, but never listed to clients
	Synonyms  []Synonym
	Supported func(value string) string // why this build cannot do a valid value, or ""
}

// Synonym is a broker key that gives a topic key its value where the topic has none.
type Synonym struct {
	Key   string
	Scale int64 // multiplies the broker's number: hours to milliseconds. 0 means 1
}

// Sensitive tells that values must never be shown.
func (k *ConfigKey) Sensitive() bool { return k.Type == ConfigPassword }

// Validate answers why value cannot be the key's, in Kafka's words, or "".
func (k *ConfigKey) Validate(value string) string {
	problem := k.problem(value)
	if problem == "" {
		return ""
	}
	if k.Sensitive() {
		value = "[hidden]"
	}
	return "Invalid value " + clip(value) + " for configuration " + k.Name + ": " + problem
}

func (k *ConfigKey) problem(value string) string {
	if len(value) > ConfigValueMax {
		return "Value is longer than " + strconv.Itoa(ConfigValueMax) + " bytes"
	}
	p := ""
	switch k.Type {
	case ConfigBool:
		if _, ok := parseBool(value); !ok {
			p = "Expected value to be either true or false"
		}
	case ConfigInt, ConfigShort, ConfigLong:
		p = k.problemInteger(value)
	case ConfigDouble:
		p = k.problemDouble(value)
	case ConfigList:
		p = k.problemList(value)
	case ConfigString:
		if k.Values != nil && !slices.Contains(k.Values, value) {
			p = "String must be one of: " + strings.Join(k.Values, ", ")
		}
	}
	if p == "" && k.Check != nil {
		p = k.Check(value)
	}
	return p
}

func (k *ConfigKey) problemInteger(value string) string {
	bits, name := 64, "LONG"
	switch k.Type {
	case ConfigInt:
		bits, name = 32, "INT"
	case ConfigShort:
		bits, name = 16, "SHORT"
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, bits)
	if err != nil {
		return "Not a number of type " + name
	}
	return k.problemRange(float64(n))
}

func (k *ConfigKey) problemDouble(value string) string {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return "Not a number of type DOUBLE"
	}
	return k.problemRange(f)
}

func (k *ConfigKey) problemRange(f float64) string {
	switch {
	case f < k.Min:
		return "Value must be at least " + strconv.FormatFloat(k.Min, 'f', -1, 64)
	case f > k.Max:
		return "Value must be no more than " + strconv.FormatFloat(k.Max, 'f', -1, 64)
	}
	return ""
}

func (k *ConfigKey) problemList(value string) string {
	entries := SplitList(value)
	if len(entries) == 0 && k.NonEmpty {
		return "List must not be empty"
	}
	if len(entries) > ConfigListMax {
		return "List has more than " + strconv.Itoa(ConfigListMax) + " entries"
	}
	for i, e := range entries {
		switch {
		case e == "":
			return "List entries must not be empty"
		case slices.Contains(entries[:i], e):
			return "List must not contain '" + clip(e) + "' twice"
		case k.Values != nil && !slices.Contains(k.Values, e):
			return "String must be one of: " + strings.Join(k.Values, ", ")
		}
	}
	return ""
}

// SplitList splits a list value at its commas and trims the entries. The empty string is
// the empty list.
func SplitList(value string) []string {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func parseBool(value string) (b, ok bool) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// clip keeps a client's text from filling our replies.
func clip(s string) string {
	const max = 128
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max], "") + "…"
}

// keyTable is a set of definitions, ordered by name.
type keyTable []*ConfigKey

func newKeyTable(keys ...*ConfigKey) keyTable {
	slices.SortFunc(keys, func(a, b *ConfigKey) int { return strings.Compare(a.Name, b.Name) })
	return keys
}

func (t keyTable) find(name string) *ConfigKey {
	i, ok := slices.BinarySearchFunc(t, name, func(k *ConfigKey, n string) int {
		return strings.Compare(k.Name, n)
	})
	if !ok {
		return nil
	}
	return t[i]
}

// nearest returns the known name closest to name by edit distance, or "".
func (t keyTable) nearest(name string) string {
	best, bestDistance := "", suggestionDistanceMax+1
	for _, k := range t {
		if k.Internal {
			continue
		}
		if d := editDistance(name, k.Name, bestDistance); d < bestDistance {
			best, bestDistance = k.Name, d
		}
	}
	return best
}

// editDistance is the least number of insertions, deletions, substitutions and swaps of
// neighbours that turn a into b, or limit if that is not below limit.
func editDistance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
