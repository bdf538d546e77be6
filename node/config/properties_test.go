package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPropertiesAreReadAsJavaReadsThem(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Entry
	}{
		"separators": {
			"a=1\nb:2\nc 3\nd\t = 4\ne",
			entries("a", "1", 1, "b", "2", 2, "c", "3", 3, "d", "4", 4, "e", "", 5),
		},
		"one separator is taken":  {"a==1\nb : : 2", entries("a", "=1", 1, "b", ": 2", 2)},
		"comments and blanks":     {"# a=1\n  ! b=2\n\n \t\f\nc=3 # stays", entries("c", "3 # stays", 5)},
		"line ends":               {"a=1\rb=2\r\nc=3\n", entries("a", "1", 1, "b", "2", 2, "c", "3", 3)},
		"continued":               {"a=1,\\\n   2,\\\r\n\t3\nb=4", entries("a", "1,2,3", 1, "b", "4", 4)},
		"not continued":           {"a=1\\\\\nb=2", entries("a", `1\`, 1, "b", "2", 2)},
		"continued comment":       {"# a=1\\\nb=2", entries("b", "2", 2)},
		"hash after continuation": {"a=1,\\\n#2", entries("a", "1,#2", 1)},
		"continued at the end":    {"a=1\\", entries("a", "1", 1)},
		"escapes":                 {`a\ b\=c=\t\n\r\f\q\\`, entries("a b=c", "\t\n\r\fq\\", 1)},
		"unicode":                 {`a=\u00e9\uD83D\ude00é`, entries("a", "é😀é", 1)},
		"blanks in a value":       {"a=  1 2  ", entries("a", "1 2  ", 1)},
		"nothing":                 {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseProperties(c.text)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for text, want := range map[string]string{
		"a=1\nb=\\u12":      `line 2: \u wants four hex digits, found "12"`,
		`a=\uzzzz`:          `line 1: \u wants four hex digits, found "zzzz"`,
		`a=\ud83d`:          `line 1: \ud83d is half of a pair`,
		"a=\xff":            "line 1: not UTF-8 text",
		"\\u00e9=1\nb=\xc3": "line 2: not UTF-8 text",
	} {
		_, err := ParseProperties(text)
		require.EqualError(t, err, want)
	}
}

// entries makes a list of key, value, line, …
func entries(parts ...any) (list []Entry) {
	for part := range slices.Chunk(parts, 3) {
		list = append(list, Entry{Key: part[0].(string), Value: part[1].(string), Line: part[2].(int)})
	}
	return list
}

// format writes entries as a file that must be read back the same.
func format(list []Entry) string {
	escape := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			switch r {
			case ' ', '\t', '\f', '=', ':', '#', '!', '\\':
				b.WriteString(`\` + string(r))
			case '\n', '\r':
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				b.WriteRune(r)
			}
		}
		return b.String()
	}
	var b strings.Builder
	for _, e := range list {
		b.WriteString(escape(e.Key) + "=" + escape(e.Value) + "\n")
	}
	return b.String()
}

func TestWrittenPropertiesAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab =:#!\\\t\n\r\fé😀")))
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Entry {
			return Entry{Key: "k" + text.Draw(t, "key"), Value: text.Draw(t, "value")}
		}), 0, 5).Draw(t, "entries")
		for i := range list {
			list[i].Line = i + 1
		}
		got, err := ParseProperties(format(list))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, list) {
			t.Fatalf("wrote %+v\nread  %+v\nfrom  %q", list, got, format(list))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("node.id=1\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\nlog.dirs=\\u0061\\\n b")
	f.Add("a=\\")
	f.Add("advertised.listeners=://[::\nnode.id=1")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseProperties(text)
		cfg, parseErr := Parse("f", text)
		if err != nil && parseErr == nil || parseErr == nil && cfg == nil {
			t.Fatalf("properties: %v, config: %v", err, parseErr)
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, e := range list {
			if e.Line < 1 || e.Line > lines || len(e.Key)+len(e.Value) > len(text) {
				t.Fatalf("%+v of %d lines, %d bytes", e, lines, len(text))
			}
		}
	})
}
