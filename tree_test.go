package tidemark_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// sources is the tree as the rules see it: what a fresh clone holds, not what was built.
type sources struct {
	fsys    fs.FS
	paths   []string // every file, sorted
	goFiles []*goFile
}

type goFile struct {
	path  string
	lines []string
	fset  *token.FileSet
	ast   *ast.File

	patterns []string // cache of stringPatterns
}

var loadTree = sync.OnceValues(func() (*sources, error) { return readSources(os.DirFS(".")) })

func tree(t *testing.T) *sources {
	t.Helper()
	src, err := loadTree()
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// unseen are folders that no clone holds or that are not ours.
var unseen = []string{".git", "bin", ".tidemark", "node_modules"}

func readSources(fsys fs.FS) (*sources, error) {
	src := &sources{fsys: fsys}
	fset := token.NewFileSet()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(unseen, d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		src.paths = append(src.paths, name)
		if path.Ext(name) != ".go" || inTestdata(name) {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f, err := parseGo(fset, name, string(text))
		if err != nil {
			return err
		}
		src.goFiles = append(src.goFiles, f)
		return nil
	})
	slices.Sort(src.paths) // WalkDir sorts per folder
	return src, err
}

func parseGo(fset *token.FileSet, name, text string) (*goFile, error) {
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return &goFile{path: name, lines: lines, fset: fset, ast: file}, nil
}

func parseFixture(t *testing.T, name, text string) *goFile {
	t.Helper()
	f, err := parseGo(token.NewFileSet(), name, text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *sources) read(t *testing.T, name string) string {
	t.Helper()
	if !s.exists(name) {
		t.Fatalf("%s: does not exist", name)
	}
	return s.text(name)
}

// text is the content of a file, "" if it cannot be read.
func (s *sources) text(name string) string {
	text, _ := fs.ReadFile(s.fsys, name)
	return string(text)
}

// exists reports whether a file or folder of that name is in the tree.
func (s *sources) exists(name string) bool {
	name = path.Clean(name)
	if name == "." {
		return true
	}
	i, found := slices.BinarySearch(s.paths, name)
	if found {
		return true
	}
	// "a/b/" sorts before every file in the folder a/b, and "a/b.go" before both.
	for ; i < len(s.paths) && strings.HasPrefix(s.paths[i], name); i++ {
		if strings.HasPrefix(s.paths[i], name+"/") {
			return true
		}
	}
	return false
}

func (f *goFile) position(pos token.Pos) string {
	p := f.fset.Position(pos)
	return fmt.Sprintf("%s:%d", f.path, p.Line)
}

func (f *goFile) lineOf(pos token.Pos) int { return f.fset.Position(pos).Line }

func (f *goFile) isGenerated() bool { return ast.IsGenerated(f.ast) }

func (f *goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func inTestdata(name string) bool {
	return strings.HasPrefix(name, "testdata/") || strings.Contains(name, "/testdata/")
}

// selectorsOf finds the identifiers used of an imported package and where.
func selectorsOf(f *goFile, spec *ast.ImportSpec) map[string]token.Pos {
	imported, _ := strconv.Unquote(spec.Path.Value)
	name := path.Base(imported)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	used := map[string]token.Pos{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				used[sel.Sel.Name] = sel.Pos()
			}
		}
		return true
	})
	return used
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
