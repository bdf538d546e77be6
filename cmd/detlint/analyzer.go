package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
)

var analyzer = &analysis.Analyzer{
	Name:       "detlint",
	Doc:        "refuse what would make two runs of one seed differ",
	URL:        "https://pkg.go.dev/github.com/tidemark-log/tidemark/cmd/detlint",
	Run:        run,
	ResultType: reflect.TypeFor[[]exemption](),
}

// exemption is a //detlint:ok comment that kept something from being reported.
type exemption struct {
	pos    token.Position
	reason string
}

const exemptPrefix = "//detlint:ok"

// linter judges the files of one package.
type linter struct {
	pass *analysis.Pass

	exempt map[string]map[int]*mark // by file and line
	used   []exemption
}

type mark struct {
	comment *ast.Comment
	reason  string
	used    bool
}

func run(pass *analysis.Pass) (any, error) {
	l := &linter{pass: pass, exempt: map[string]map[int]*mark{}}
	for _, file := range pass.Files {
		name := pass.Fset.Position(file.Pos()).Filename
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		l.collectExemptions(file)
		l.checkImports(file)
		l.checkFile(file)
		l.reportUnusedExemptions(file)
	}
	return l.used, nil
}

// checkFile walks one file with the enclosing function at hand, because a collected slice
// may be sorted later in it.
func (l *linter) checkFile(file *ast.File) {
	var functions []ast.Node
	ast.PreorderStack(file, nil, func(n ast.Node, stack []ast.Node) bool {
		functions = functions[:0]
		for _, s := range stack {
			switch s.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				functions = append(functions, s)
			}
		}
		l.checkConcurrency(n)
		switch n := n.(type) {
		case *ast.SelectorExpr:
			l.checkSelector(n)
		case *ast.CallExpr:
			l.checkPrinting(n)
			l.checkKeyIterator(n, stack)
		case *ast.MapType:
			l.checkMapKey(n)
		case *ast.RangeStmt:
			l.checkRange(n, functions)
		}
		return true
	})
}

func (l *linter) report(n ast.Node, format string, args ...any) {
	pos := l.pass.Fset.Position(n.Pos())
	marks := l.exempt[pos.Filename]
	for _, line := range []int{pos.Line, pos.Line - 1} {
		m := marks[line]
		if m == nil || line != pos.Line && !l.standsAlone(m) {
			continue
		}
		if m.reason != "" && !m.used {
			l.used = append(l.used, exemption{pos: pos, reason: m.reason})
		}
		m.used = true
		return
	}
	l.pass.Reportf(n.Pos(), format, args...)
}

// standsAlone holds for a comment with no code before it on its line: it exempts the next.
func (l *linter) standsAlone(m *mark) bool {
	pos := l.pass.Fset.Position(m.comment.Pos())
	text, err := l.pass.ReadFile(pos.Filename)
	if err != nil || pos.Offset > len(text) {
		return false
	}
	line := text[:pos.Offset]
	return strings.TrimSpace(string(line[strings.LastIndexByte(string(line), '\n')+1:])) == ""
}

func (l *linter) collectExemptions(file *ast.File) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(c.Text, exemptPrefix)
			if !ok || rest != "" && rest[0] != ' ' {
				continue
			}
			pos := l.pass.Fset.Position(c.Pos())
			if l.exempt[pos.Filename] == nil {
				l.exempt[pos.Filename] = map[int]*mark{}
			}
			l.exempt[pos.Filename][pos.Line] = &mark{comment: c, reason: strings.TrimSpace(rest)}
		}
	}
}

func (l *linter) reportUnusedExemptions(file *ast.File) {
	name := l.pass.Fset.Position(file.Pos()).Filename
	for _, m := range l.exempt[name] {
		switch {
		case m.reason == "":
			l.pass.Reportf(m.comment.Pos(), "%s without a reason", exemptPrefix)
		case !m.used:
			l.pass.Reportf(m.comment.Pos(), "%s exempts nothing here: take it out", exemptPrefix)
		}
	}
}

// typeOf is the type of an expression, never nil.
func (l *linter) typeOf(e ast.Expr) types.Type {
	if t := l.pass.TypesInfo.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

// calledFunc is the package-level function or method a call names, or nil.
func (l *linter) calledFunc(call *ast.CallExpr) *types.Func {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		f, _ := l.pass.TypesInfo.Uses[fun].(*types.Func)
		return f
	case *ast.SelectorExpr:
		f, _ := l.pass.TypesInfo.Uses[fun.Sel].(*types.Func)
		return f
	case *ast.IndexExpr:
		return l.calledFunc(&ast.CallExpr{Fun: fun.X})
	case *ast.IndexListExpr:
		return l.calledFunc(&ast.CallExpr{Fun: fun.X})
	}
	return nil
}

// isPackageFunc holds when f is one of the named package-level functions of pkg.
func isPackageFunc(f *types.Func, pkg string, names ...string) bool {
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != pkg || f.Signature().Recv() != nil {
		return false
	}
	for _, n := range names {
		if f.Name() == n {
			return true
		}
	}
	return false
}
