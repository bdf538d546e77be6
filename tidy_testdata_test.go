package tidemark_test

import (
	"go/ast"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// Goldens and scripts that nobody reads look like tests and protect nothing.
func TestEveryFileInTestdataIsRead(t *testing.T) {
	src := tree(t)
	for _, name := range src.paths {
		if inTestdata(name) {
			if why := unread(src, name); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
	}
}

// unread says why no test can be reading the file, "" if one names it, a folder that holds
// it, or a pattern that covers it.
func unread(src *sources, name string) string {
	owner, inside := "", strings.TrimPrefix(name, "testdata/")
	if i := strings.Index(name, "/testdata/"); i >= 0 && inside == name {
		owner, inside = name[:i+1], name[i+len("/testdata/"):]
	}
	parts := strings.Split(inside, "/")
	switch {
	case parts[0] == "rapid":
		return "a failure rapid wrote down. Turn it into a named test of the promise it broke, and delete it"
	case parts[0] == "fuzz" && len(parts) > 2:
		if declares(src, owner, parts[1]) {
			return ""
		}
		return "no fuzz target is named " + parts[1]
	case parts[0] == "src" && declares(src, owner, "TestAnalyzer"):
		return "" // analysistest's way of laying out fixtures
	}
	var patterns []string
	for _, f := range src.goFiles {
		if strings.HasPrefix(f.path, owner) {
			patterns = append(patterns, f.stringPatterns()...)
		}
	}
	if covered(patterns, "testdata/"+inside) {
		return ""
	}
	return "no test of its package reads it. Delete it, or name it (its folder, a pattern) where it is read"
}

func declares(src *sources, owner, function string) bool {
	for _, f := range src.goFiles {
		if path.Dir(f.path)+"/" != owner {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, function) {
				return true
			}
		}
	}
	return false
}

// computed stands in a pattern for the part of a path that is not written in the source.
const computed = "\x00"

// covered holds when a pattern is the file, one of its folders, or matches one of them. A
// pattern with a computed part covers a file only if the file's name is written somewhere.
func covered(patterns []string, name string) bool {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	spoken := false
	for _, p := range patterns {
		spoken = spoken || strings.Contains(p, stem)
	}
	for _, p := range patterns {
		if strings.Contains(p, computed) && !spoken {
			continue
		}
		p = strings.TrimPrefix(strings.TrimSuffix(strings.ReplaceAll(p, computed, "*"), "/"), "./")
		for dir := name; dir != "."; dir = path.Dir(dir) {
			if match, _ := path.Match(p, dir); match && strings.HasPrefix(p, "testdata") {
				return true
			}
		}
	}
	return false
}

// stringPatterns are the strings of a file as far as its source tells: literals, sums, joined
// paths and go:embed directives.
func (f *goFile) stringPatterns() []string {
	if f.patterns != nil {
		return f.patterns
	}
	f.patterns = []string{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		p := stringPattern(e)
		if p == computed {
			return true
		}
		f.patterns = append(f.patterns, p)
		return false
	})
	for _, line := range f.lines {
		if embedded, ok := strings.CutPrefix(line, "//go:embed "); ok {
			f.patterns = append(f.patterns, strings.Fields(embedded)...)
		}
	}
	return f.patterns
}

func stringPattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			left, right := stringPattern(e.X), stringPattern(e.Y)
			return strings.ReplaceAll(left+right, computed+computed, computed)
		}
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Join" && len(e.Args) > 1 {
			var parts []string
			for _, arg := range e.Args {
				parts = append(parts, stringPattern(arg))
			}
			if joined := strings.Join(parts, "/"); strings.Contains(joined, "testdata") {
				return joined
			}
		}
	}
	return computed
}

func TestTestdataThatNobodyReadsIsFound(t *testing.T) {
	const code = `package x

import ("os"; "path/filepath"; "testing")

func TestX(t *testing.T) {
	os.ReadFile("testdata/named.txt")
	os.ReadFile(filepath.Join("testdata", "joined.txt"))
	filepath.Glob("testdata/*.golden")
	os.ReadDir("testdata/folder")
	for _, name := range []string{"spoken"} {
		os.ReadFile("testdata/" + name + ".script")
	}
}

func FuzzParse(f *testing.F) {}
`
	files := map[string]bool{ // path: is read
		"named.txt": true, "joined.txt": true, "any.golden": true, "folder/deep/a.txt": true, "spoken.script": true,
		"silent.script": false, "stray.txt": false, "fuzz/FuzzParse/1": true, "fuzz/FuzzGone/1": false,
		"rapid/TestX/1.fail": false,
	}
	fsys := fstest.MapFS{"core/x/x_test.go": {Data: []byte(code)}}
	for name := range files {
		fsys["core/x/testdata/"+name] = &fstest.MapFile{}
	}
	src, err := readSources(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for name, isRead := range files {
		if why := unread(src, "core/x/testdata/"+name); (why == "") != isRead {
			t.Errorf("%s: read=%v, want %v: %s", name, why == "", isRead, why)
		}
	}
}
