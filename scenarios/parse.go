package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Parse reads a scenario. Every error names the file, the line, the key and what was expected
// there.
func Parse(file string, b []byte) (*Scenario, error) {
	if len(b) > fileBytesMax {
		return nil, fmt.Errorf("%s: %d bytes, a scenario has at most %d", file, len(b), fileBytesMax)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(root.Content) != 1 {
		return nil, fmt.Errorf("%s: empty, want a scenario with a claim", file)
	}
	if errs := unknownKeys(root.Content[0], reflect.TypeFor[Scenario](), ""); len(errs) > 0 {
		return nil, inFile(file, errs...)
	}
	var s Scenario
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return nil, inFile(file, err)
	}
	if dec.Decode(new(yaml.Node)) == nil {
		return nil, fmt.Errorf("%s: has a second document, want one scenario", file)
	}
	s.Defaults()
	if err := s.Validate(); err != nil {
		return nil, inFile(file, err)
	}
	return &s, nil
}

// inFile puts the file's name before each line of what is wrong.
func inFile(file string, errs ...error) error {
	var out []error
	for _, err := range errs {
		var typeErr *yaml.TypeError
		if errors.As(err, &typeErr) {
			for _, line := range typeErr.Errors {
				out = append(out, fmt.Errorf("%s: %s", file, line))
			}
			continue
		}
		out = append(out, fmt.Errorf("%s: %w", file, err))
	}
	return errors.Join(out...)
}

// unknownKeys finds keys that the format does not have, all at once, with the nearest one it
// has.
func unknownKeys(n *yaml.Node, t reflect.Type, path string) []error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
		return nil
	}
	var errs []error
	switch {
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		known := fields(t)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, ok := known[key.Value]
			if !ok {
				errs = append(errs, fmt.Errorf("line %d: %s%s: unknown key%s; known are %s", key.Line, path, key.Value,
					nearest(key.Value, known), strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
				continue
			}
			errs = append(errs, unknownKeys(n.Content[i+1], field, path+key.Value+".")...)
		}
	case t.Kind() == reflect.Struct && n.Kind != 0:
		errs = append(errs, fmt.Errorf("line %d: %s: want keys and values: %s", n.Line, strings.TrimSuffix(path,
			"."),
			strings.Join(slices.Sorted(maps.Keys(fields(t))), ", ")))
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			errs = append(errs, unknownKeys(e, t.Elem(), path)...)
		}
	case t.Kind() == reflect.Slice:
		errs = append(errs, fmt.Errorf("line %d: %s: want a list", n.Line, strings.TrimSuffix(path, ".")))
	}
	return errs
}

func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
			out[tag] = t.Field(i).Type
		}
	}
	return out
}

// nearest suggests the known key that is most like the given one, if any is much like it.
func nearest(key string, known map[string]reflect.Type) string {
	best, at := "", len(key)/2+1
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := distance(key, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance is the number of letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

func wanted(n *yaml.Node, what string) error {
	got := fmt.Sprintf("%q", n.Value)
	if n.Kind != yaml.ScalarNode {
		got = "a list or keys"
	}
	return fmt.Errorf("line %d: want %s, got %s", n.Line, what, got)
}

// word reads one of a few words.
func word[T any](n *yaml.Node, into *T, words map[string]T) error {
	v, ok := words[n.Value]
	if n.Kind != yaml.ScalarNode || !ok {
		return wanted(n, "one of "+strings.Join(slices.Sorted(maps.Keys(words)), ", "))
	}
	*into = v
	return nil
}
