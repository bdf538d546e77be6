package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Entry is one key of a properties file with the line it begins on, or the environment
// variable it comes from instead.
type Entry struct {
	Key, Value string
	Line       int
	Variable   string
}

// ParseProperties reads the format of java.util.Properties: "key = value", "key: value" or
// "key value", comments from # or ! on, lines continued by a backslash at their end, and the
// escapes \t \n \r \f \uXXXX; a backslash before anything else is dropped. Keys may repeat:
// the caller decides. The text is UTF-8, where Java would read Latin-1.
func ParseProperties(text string) ([]Entry, error) {
	if len(text) > fileBytesMax {
		return nil, fmt.Errorf("%d bytes are no configuration file; the most is %d", len(text), fileBytesMax)
	}
	lines := lineReader{rest: text}
	var entries []Entry
	for lines.next() {
		key, value := splitEntry(lines.logical)
		e := Entry{Line: lines.began}
		var err error
		if e.Key, err = unescape(key); err == nil {
			e.Value, err = unescape(value)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", e.Line, err)
		case !utf8.ValidString(e.Key) || !utf8.ValidString(e.Value):
			return nil, fmt.Errorf("line %d: not UTF-8 text", e.Line)
		case len(entries) == entriesMax:
			return nil, fmt.Errorf("line %d: more than %d keys", e.Line, entriesMax)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// lineReader joins natural lines to logical ones, without blanks and comments.
type lineReader struct {
	rest    string
	line    int    // natural lines taken
	logical string // the current logical line, its escapes untouched
	began   int    // the natural line it began on, from 1
}

const blanks = " \t\f"

func (r *lineReader) next() bool {
	for r.rest != "" {
		line := strings.TrimLeft(r.natural(), blanks)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		r.began = r.line
		var joined strings.Builder
		for continues(line) && r.rest != "" {
			joined.WriteString(line[:len(line)-1])
			line = strings.TrimLeft(r.natural(), blanks)
		}
		if continues(line) { // at the end of the file there is nothing to join
			line = line[:len(line)-1]
		}
		joined.WriteString(line)
		if r.logical = joined.String(); r.logical != "" {
			return true
		}
	}
	return false
}

// natural takes one line, ended by \n, \r or \r\n.
func (r *lineReader) natural() string {
	r.line++
	end := strings.IndexAny(r.rest, "\r\n")
	if end < 0 {
		line := r.rest
		r.rest = ""
		return line
	}
	line, after := r.rest[:end], r.rest[end+1:]
	if r.rest[end] == '\r' {
		after = strings.TrimPrefix(after, "\n")
	}
	r.rest = after
	return line
}

// continues holds for a line that ends in an odd number of backslashes.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// splitEntry cuts a logical line at the first = or : or blank that no backslash protects.
func splitEntry(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if strings.IndexByte(blanks+"=:", line[i]) >= 0 {
			end = i
			break
		}
	}
	value = strings.TrimLeft(line[end:], blanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], blanks)
	}
	return line[:end], value
}

var escapes = map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch {
		case i == len(s): // dropped, as Java does
		case s[i] == 'u':
			r, n, err := unicodeEscape(s[i+1:])
			if err != nil {
				return "", err
			}
			out.WriteRune(r)
			i += n
		case escapes[s[i]] != 0:
			out.WriteByte(escapes[s[i]])
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String(), nil
}

// unicodeEscape reads what follows \u, a second half of a surrogate pair included, and
// returns the bytes it took.
func unicodeEscape(s string) (r rune, taken int, err error) {
	r, err = hex4(s)
	if err != nil || !utf16.IsSurrogate(r) {
		return r, 4, err
	}
	if after, ok := strings.CutPrefix(s[4:], `\u`); ok {
		if low, err := hex4(after); err == nil {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10, nil
			}
		}
	}
	return 0, 0, fmt.Errorf(`\u%s is half of a pair`, s[:4])
}

func hex4(s string) (rune, error) {
	if len(s) < 4 {
		return 0, fmt.Errorf(`\u wants four hex digits, found %q`, s)
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	if err != nil {
		return 0, fmt.Errorf(`\u wants four hex digits, found %q`, s[:4])
	}
	return rune(n), nil
}
