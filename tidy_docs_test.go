package tidemark_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestDocumentsPointAtThingsThatExist(t *testing.T) {
	src := tree(t)
	targets := makeTargets(src.read(t, "Makefile"))
	for _, name := range src.paths {
		if path.Ext(name) == ".md" && !inTestdata(name) {
			for _, v := range deadPointers(src, name, src.read(t, name), targets) {
				t.Error(v)
			}
		}
	}
}

var (
	mdLink   = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	mdCode   = regexp.MustCompile("`([^`\n]+)`")
	mdIdent  = regexp.MustCompile("\\[`([A-Za-z.]+)`\\]\\(([^()\\s]+\\.go)\\)")
	mdPath   = regexp.MustCompile(`^[A-Za-z0-9_.*{},/-]+$`)
	mdHead   = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	makeCall = regexp.MustCompile(`^make ([a-z]+)\b`)
	makeRule = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// deadPointers finds links, paths in code spans and make targets of a document that lead
// nowhere. Fenced code is read for make targets only: it may show paths of a user's machine.
func deadPointers(src *sources, name, text string, targets []string) []string {
	var bad []string
	report := func(line int, format string, args ...any) {
		bad = append(bad, fmt.Sprintf("%s:%d: ", name, line+1)+fmt.Sprintf(format, args...))
	}
	fenced := false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		spans := []string{strings.TrimPrefix(strings.TrimSpace(line), "$ ")}
		if !fenced {
			spans = nil
			for _, m := range mdCode.FindAllStringSubmatch(line, -1) {
				spans = append(spans, m[1])
				if isOwnPath(src, m[1]) && !anyExists(src, m[1]) {
					report(i, "`%s` is not in the tree; name what is, or take the sentence out", m[1])
				}
			}
			for _, m := range mdLink.FindAllStringSubmatch(line, -1) {
				if why := deadLink(src, name, text, m[1]); why != "" {
					report(i, "the link %s %s", m[1], why)
				}
			}
			for _, m := range mdIdent.FindAllStringSubmatch(line, -1) {
				if target := path.Join(path.Dir(name), m[2]); !declaresIn(src.text(target), m[1]) {
					report(i, "`%s` is not declared in %s", m[1], target)
				}
			}
		}
		for _, span := range spans {
			if m := makeCall.FindStringSubmatch(span); m != nil && !slices.Contains(targets, m[1]) {
				report(i, "make has no target %s", m[1])
			}
		}
	}
	return bad
}

func deadLink(src *sources, from, text, link string) string {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return "" // the outside is not ours to test
	}
	file, anchor, _ := strings.Cut(link, "#")
	target := from
	if file != "" {
		target = path.Join(path.Dir(from), file)
		if !src.exists(target) {
			return "leads to " + target + ", which does not exist"
		}
	}
	if anchor == "" || path.Ext(target) != ".md" {
		return ""
	}
	if target != from {
		text = src.text(target)
	}
	for _, head := range mdHead.FindAllStringSubmatch(text, -1) {
		if slug(head[1]) == anchor {
			return ""
		}
	}
	return "names a heading that " + target + " does not have"
}

// declaresIn holds when Go source declares the last name of pkg.Type.Method: as a function, a
// method, a type, or a field in a line of its own.
func declaresIn(text, name string) bool {
	name = name[strings.LastIndexByte(name, '.')+1:]
	declared := regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type |\t)` + name + `[\s(,\[]`)
	return declared.MatchString(text)
}

// slug is the anchor GitHub makes of a heading.
func slug(heading string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(strings.TrimSpace(heading)))
}

// isOwnPath holds for what reads as a path of this repository: it starts with one of our
// folders and goes on, or is a file by its ending.
func isOwnPath(src *sources, text string) bool {
	if !mdPath.MatchString(text) {
		return false
	}
	first, _, deep := strings.Cut(text, "/")
	if !deep {
		return false
	}
	return slices.ContainsFunc(src.paths, func(p string) bool { return strings.HasPrefix(p, first+"/") })
}

// anyExists expands {a,b} and * and asks that each alternative is there.
func anyExists(src *sources, pattern string) bool {
	if open := strings.Index(pattern, "{"); open >= 0 {
		if end := strings.Index(pattern[open:], "}"); end > 0 {
			for part := range strings.SplitSeq(pattern[open+1:open+end], ",") {
				if !anyExists(src, pattern[:open]+part+pattern[open+end+1:]) {
					return false
				}
			}
			return true
		}
	}
	pattern = strings.TrimSuffix(strings.TrimSuffix(pattern, "/..."), "/")
	if src.exists(pattern) {
		return true
	}
	return slices.ContainsFunc(src.paths, func(p string) bool {
		match, _ := path.Match(pattern, p)
		return match
	})
}

func makeTargets(makefile string) []string {
	var targets []string
	for _, m := range makeRule.FindAllStringSubmatch(makefile, -1) {
		targets = append(targets, m[1])
	}
	return targets
}

func TestDeadPointersAreFound(t *testing.T) {
	src, err := readSources(fstest.MapFS{
		"core/log/doc.go": {Data: []byte("// Package log keeps.\npackage log\n\ntype Log struct{}\n")},
		"docs/a.md":       {Data: []byte("# A heading, here\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		dead int
	}{
		{"[a](a.md) [code](../core/log/doc.go) [out](https://example.org/x)", 0},
		{"[a](a.md#a-heading-here)", 0},
		{"[a](a.md#another)", 1},
		{"[gone](b.md)", 1},
		{"`core/log/doc.go` and `core/log` and `core/{log}/*.go` and `core/...`", 0},
		{"`core/lag` and `core/{log,lag}`", 2},
		{"`a/b` is nobody's path", 0},
		{"run `make test`", 0},
		{"[`log.Log`](../core/log/doc.go) [`log.Lag`](../core/log/doc.go)", 1},
		{"run `make coffee`", 1},
		{"```\n$ make coffee\ncore/lag\n```", 1},
	} {
		if got := deadPointers(src, "docs/x.md", c.text, []string{"test"}); len(got) != c.dead {
			t.Errorf("%q: want %d dead, got %q", c.text, c.dead, got)
		}
	}
}
