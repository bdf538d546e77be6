package tidemark_test

import (
	"fmt"
	"go/ast"
	"go/format"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The caps. There is no allowlist: a file that outgrows them is split where its description
// needs a second "and". Only generated code, with the standard header, is exempt.
const (
	fileLinesMax  = 1000
	fileLinesWarn = 600
	funcLinesMax  = 80
	lineMax       = 110 // characters; a tab is one
	paramsMax     = 5   // the style asks for four, then an options struct
)

// drawers are the names under which everything ends up and nothing is found again.
var drawers = []string{
	"util", "utils", "common", "misc", "helper", "helpers", "base", "types", "manager", "shared", "lib", "stuff",
}

// rule judges one file and returns what is wrong with it, one sentence each.
type rule func(f *goFile) []string

var goRules = map[string]rule{
	"format":   formatted,
	"sizes":    sizes,
	"names":    packageNames,
	"comments": unfinishedComments,
}

func TestGoFilesKeepTheHouseRules(t *testing.T) {
	for _, name := range sortedKeys(goRules) {
		t.Run(name, func(t *testing.T) {
			for _, f := range tree(t).goFiles {
				for _, v := range goRules[name](f) {
					t.Error(v)
				}
			}
		})
	}
	for _, f := range tree(t).goFiles {
		if len(f.lines) > fileLinesWarn && !f.isGenerated() {
			t.Logf("%s has %d lines: above %d a newcomer starts to scroll", f.path, len(f.lines), fileLinesWarn)
		}
	}
}

func formatted(f *goFile) []string {
	text := strings.Join(f.lines, "\n") + "\n"
	if want, err := format.Source([]byte(text)); err == nil && string(want) != text {
		return []string{fmt.Sprintf("%s: not formatted; run gofmt -w %s", f.path, f.path)}
	}
	return nil
}

func sizes(f *goFile) []string {
	if f.isGenerated() {
		return nil
	}
	var bad []string
	if n := len(f.lines); n > fileLinesMax {
		bad = append(bad, fmt.Sprintf("%s: %d lines, the cap is %d. Split it by state machine or by subject, "+
			"each part with a name that says what is in it", f.path, n, fileLinesMax))
	}
	for i, line := range f.lines {
		if n := utf8.RuneCountInString(line); n > lineMax && !cannotBreak(line) {
			bad = append(bad, fmt.Sprintf("%s:%d: %d characters, the cap is %d. Break the line, or name a part of it",
				f.path, i+1, n, lineMax))
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if fn, ok := n.(*ast.FuncDecl); ok {
			bad = append(bad, functionSize(f, fn)...)
		}
		return true
	})
	return bad
}

// cannotBreak holds for lines the language or a reader needs whole: directives and bare links.
func cannotBreak(line string) bool {
	line = strings.TrimSpace(line)
	text, isComment := strings.CutPrefix(line, "// ")
	isLink := isComment && strings.Contains(text, "://") && !strings.Contains(text, " ")
	return isLink || strings.HasPrefix(line, "//go:")
}

func functionSize(f *goFile, fn *ast.FuncDecl) []string {
	var bad []string
	where, name := f.position(fn.Pos()), fn.Name.Name
	if n := f.lineOf(fn.End()) - f.lineOf(fn.Pos()) + 1; n > funcLinesMax {
		bad = append(bad, fmt.Sprintf("%s: %s has %d lines, the cap is %d (aim for 40). Keep the branches here "+
			"and move the loops and leaves into functions of their own", where, name, n, funcLinesMax))
	}
	if n := fn.Type.Params.NumFields(); n > paramsMax {
		bad = append(bad, fmt.Sprintf("%s: %s has %d parameters, the cap is %d (aim for 4). Give it an options "+
			"struct, or a type that the parameters belong to", where, name, n, paramsMax))
	}
	return bad
}

func packageNames(f *goFile) []string {
	name := strings.TrimSuffix(f.ast.Name.Name, "_test")
	if slices.Contains(drawers, name) || slices.Contains(drawers, path.Base(path.Dir(f.path))) {
		return []string{fmt.Sprintf("%s: package %s is a drawer of leftovers. Name the package for the one thing "+
			"it provides, or move the code to where it is used", f.path, name)}
	}
	return nil
}

var (
	unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b(\(#[0-9]+\))?`)
	docPath    = regexp.MustCompile(`\bdocs/[A-Za-z0-9_./-]*[A-Za-z0-9_]`)
)

// unfinishedComments wants an issue for what is left to do, and no comment that sends its
// reader to a document that is not there.
func unfinishedComments(f *goFile) []string {
	var bad []string
	for _, group := range f.ast.Comments {
		for _, c := range group.List {
			for _, m := range unfinished.FindAllStringSubmatch(c.Text, -1) {
				if m[2] == "" {
					bad = append(bad, fmt.Sprintf("%s: %s without an issue. Do it now, or open an issue and write %s(#123)",
						f.position(c.Pos()), m[1], m[1]))
				}
			}
		}
	}
	return bad
}

func TestCommentsPointAtDocumentsThatExist(t *testing.T) {
	src := tree(t)
	for _, f := range src.goFiles {
		for _, group := range f.ast.Comments {
			for _, name := range docPath.FindAllString(group.Text(), -1) {
				if !src.exists(name) {
					t.Errorf("%s: the comment sends its reader to %s, which does not exist",
						f.position(group.Pos()), name)
				}
			}
		}
	}
}

func TestEveryFolderWithCodeHasAPageThatExplainsIt(t *testing.T) {
	folders := map[string][]*goFile{}
	for _, f := range tree(t).goFiles {
		if !f.isTest() {
			folders[path.Dir(f.path)] = append(folders[path.Dir(f.path)], f)
		}
	}
	for _, dir := range sortedKeys(folders) {
		i := slices.IndexFunc(folders[dir], func(f *goFile) bool { return path.Base(f.path) == "doc.go" })
		switch {
		case i < 0:
			t.Errorf("%s: no doc.go. Say in one sentence what the folder is for, draw it, name what is deliberately "+
				"absent, and give the reading order of the files", dir)
		case folders[dir][i].ast.Doc == nil:
			t.Errorf("%s/doc.go: no package comment", dir)
		}
	}
}

// A path of the machine where a thing was written means nothing on the next one.
// log.dirs keeps Kafka's default, which happens to be such a path.
var (
	machinePath = regexp.MustCompile("(^|[\\s\"'`=(:,])" +
		`(/(work|root|tmp|home/[a-z]+)(/[A-Za-z0-9_.-]*)*)` + "($|[\\s\"'`),:;])")
	outside   = "../" + "shared"
	kafkaLogs = "/tmp" + "/kafka-logs"
)

func TestNothingNamesThePlaceItWasWrittenAt(t *testing.T) {
	src := tree(t)
	for _, name := range src.paths {
		if !isText(name) {
			continue
		}
		inTest := strings.HasSuffix(name, "_test.go") || inTestdata(name)
		for i, line := range strings.Split(src.read(t, name), "\n") {
			if m := machinePath.FindStringSubmatch(line); m != nil && m[2] != kafkaLogs && !inTest {
				t.Errorf("%s:%d: %s is a path of one machine. Take it from a flag, the configuration or "+
					"os.MkdirTemp", name, i+1, m[2])
			}
			if strings.Contains(line, outside) {
				t.Errorf("%s:%d: %s is not part of the repository; say here what the reader needs",
					name, i+1, outside)
			}
		}
	}
}

func isText(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".txt", ".txtar", ".yaml", ".yml", ".sh", ".properties", ".json", ".html", ".js", ".css":
		return true
	}
	return path.Base(name) == "Makefile" || strings.HasPrefix(name, ".ci/")
}

func TestTidyRulesRefuseWhatTheyForbid(t *testing.T) {
	long := strings.Repeat("x", lineMax-len("package x // ")+1)
	body := "package x\n\nfunc f() {\n" + strings.Repeat("\tg()\n", funcLinesMax-1) + "}\n"
	for _, c := range []struct {
		name, rule, path, text string
		bad                    int
	}{
		{"a line at the cap", "sizes", "a/a.go", "package x // " + long[1:] + "\n", 0},
		{"a line above it", "sizes", "a/a.go", "package x // " + long + "\n", 1},
		{"a long bare link", "sizes", "a/a.go", "package x\n\n// https://example.org/" + long + "\n", 0},
		{"a file above the cap", "sizes", "a/a.go", "package x\n" + strings.Repeat("\n", fileLinesMax), 1},
		{"a function above the cap", "sizes", "a/a.go", body, 1},
		{"the cap holds for tests", "sizes", "a/a_test.go", body, 1},
		{"but not for generated code", "sizes", "a/a.go", "// Code generated by x. DO NOT EDIT.\n\n" + body, 0},
		{"five parameters", "sizes", "a/a.go", "package x\n\nfunc f(a, b, c, d, e int) {}\n", 0},
		{"six parameters", "sizes", "a/a.go", "package x\n\nfunc f(a, b, c, d, e, f int) {}\n", 1},
		{"not as gofmt has it", "format", "a/a.go", "package x\n\nvar  a = 1\n", 1},
		{"as gofmt has it", "format", "a/a.go", "package x\n\nvar a = 1\n", 0},
		{"a drawer", "names", "a/util/a.go", "package util\n", 1},
		{"a drawer by folder", "names", "a/common/a.go", "package sorting\n", 1},
		{"a noun", "names", "a/journal/a.go", "package journal\n", 0},
		{"left to do", "comments", "a/a.go", "package x\n\n// TODO: more\n", 1},
		{"left to do, with an issue", "comments", "a/a.go", "package x\n\n// TODO(#12): more\n", 0},
		{"not a comment", "comments", "a/a.go", "package x\n\nvar s = \"TODO\"\n", 0},
	} {
		got := goRules[c.rule](parseFixture(t, c.path, c.text))
		if len(got) != c.bad {
			t.Errorf("%s: want %d, got %q", c.name, c.bad, got)
		}
	}
}
