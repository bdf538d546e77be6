package tidemark_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write generated pages instead of comparing them")

const invariantsPage = "docs/invariants.md"

// site is one place where code says that something must be true.
type site struct {
	name, why string
	file      string
	line      int
}

func TestInvariantsPageIsInStepWithTheCode(t *testing.T) {
	sites := invariantSites(t, tree(t))
	want := renderInvariants(sites)
	if *update {
		if err := os.WriteFile(invariantsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := tree(t).text(invariantsPage); got != want {
		t.Errorf("%s is not what the comments say: run make docs", invariantsPage)
	}
}

var invariantName = regexp.MustCompile(`^[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*$`)

func TestEveryInvariantHasANameOfItsOwnAndAReason(t *testing.T) {
	const whyMin = 20 // shorter is a reference to another comment, or a repetition of the name
	at := map[string]site{}
	for _, s := range invariantSites(t, tree(t)) {
		where := fmt.Sprintf("%s:%d", s.file, s.line)
		if other, ok := at[s.name]; ok {
			t.Errorf("%s: %s is checked at %s:%d too; give each its own name, or check it in one function",
				where, s.name, other.file, other.line)
		}
		at[s.name] = s
		room, _, _ := strings.Cut(s.name, ".")
		switch {
		case !invariantName.MatchString(s.name):
			t.Errorf("%s: %q is no name for an invariant; write room.kebab-case", where, s.name)
		case !slices.Contains(strings.Split(path.Dir(s.file), "/"), room):
			t.Errorf("%s: %s names another room than its folder", where, s.name)
		}
		if len(s.why) < whyMin {
			t.Errorf("%s: %s wants a comment above its condition that says what would break; docs are made of it, "+
				"so it must stand alone (found %q)", where, s.name, s.why)
		}
	}
}

// invariantSites finds the calls of invariant.Violated outside of tests, sorted by name.
func invariantSites(t *testing.T, src *sources) []site {
	t.Helper()
	var sites []site
	for _, f := range src.goFiles {
		if f.isTest() || roomOf(path.Dir(f.path)) == "invariant" {
			continue
		}
		ast.PreorderStack(f.ast, nil, func(n ast.Node, stack []ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isViolated(call) {
				return true
			}
			s := site{file: f.path, line: f.lineOf(call.Pos()), why: reasonAbove(f, call, stack)}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s.name, _ = strconv.Unquote(lit.Value)
			}
			sites = append(sites, s)
			return true
		})
	}
	slices.SortStableFunc(sites, func(a, b site) int { return strings.Compare(a.name, b.name) })
	return sites
}

func isViolated(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Violated" || len(call.Args) == 0 {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "invariant"
}

// reasonAbove is the comment over the nearest enclosing statement that has one, else the
// function's.
func reasonAbove(f *goFile, call ast.Node, stack []ast.Node) string {
	nodes := append(slices.Clone(stack), call)
	for i, n := range slices.Backward(nodes) {
		if fn, ok := n.(*ast.FuncDecl); ok {
			return oneLine(fn.Doc)
		}
		if _, isStmt := n.(ast.Stmt); !isStmt && i != len(nodes)-1 {
			continue
		}
		for _, group := range f.ast.Comments {
			if f.lineOf(group.End()) == f.lineOf(n.Pos())-1 && alone(f, group) {
				return oneLine(group)
			}
		}
	}
	return ""
}

// alone holds for a comment that begins its line.
func alone(f *goFile, group *ast.CommentGroup) bool {
	return strings.HasPrefix(strings.TrimSpace(f.lines[f.lineOf(group.Pos())-1]), "//")
}

func oneLine(group *ast.CommentGroup) string { return strings.Join(strings.Fields(group.Text()), " ") }

func renderInvariants(sites []site) string {
	var b strings.Builder
	b.WriteString(`# Invariants

<!-- Generated from the comments above invariant.Violated. Change those, then run make docs -->

What the code checks while it runs, in production as in the simulator. A broken one stops the node with its
name; the simulator reports the name with the seed. See the package comment of ` + "`core/invariant`" + `.
`)
	room := ""
	for _, s := range sites {
		if r, _, _ := strings.Cut(s.name, "."); r != room {
			room = r
			fmt.Fprintf(&b, "\n## %s\n\n| name | why it must hold | where |\n|---|---|---|\n", room)
		}
		why := strings.ReplaceAll(s.why, "|", `\|`)
		fmt.Fprintf(&b, "| `%s` | %s | [%s](../%s) |\n", s.name, why, s.file, s.file)
	}
	return b.String()
}

func TestReasonsAreFoundAboveConditions(t *testing.T) {
	const code = `package x

// check keeps the story together.
func check(a, b int) {
	// An end before
	// its start is no range.
	if a > b {
		invariant.Violated("x.range", "a=%d", a)
	}
	switch {
	// Nobody writes a three.
	case a == 3:
		invariant.Violated("x.three", "")
	}
	if b == 0 { invariant.Violated("x.by-function", "") }
}
`
	src := &sources{goFiles: []*goFile{parseFixture(t, "core/x/x.go", code)}}
	want := map[string]string{
		"x.range": "An end before its start is no range.", "x.three": "Nobody writes a three.",
		"x.by-function": "check keeps the story together.",
	}
	for _, s := range invariantSites(t, src) {
		if s.why != want[s.name] {
			t.Errorf("%s: %q, want %q", s.name, s.why, want[s.name])
		}
		delete(want, s.name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}
