package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// # When the order of a map cannot be seen
//
// The body of the loop may, with expressions that call nothing unknown:
//   - delete keys, set entries of other maps under the loop's own key (or to a constant);
//   - count, sum integers, or keep a minimum or a maximum; but not sum floats;
//   - collect into a slice that the same function sorts afterwards;
//   - set a variable to one constant, return one constant, or break, and nothing else besides,
//     because what was done before an early end would depend on the order;
//   - declare and change what lives inside the body only; if, switch, continue, inner loops.
//
// Known holes, kept because closing them needs a proof: a sort whose comparison leaves ties,
// two keys whose values are the same pointer, a pure-looking String method that is not.

// mapLoop is one range over a map while its body is judged.
type mapLoop struct {
	l    *linter
	loop *ast.RangeStmt
	key  types.Object // the variable that differs in each round; nil if there is none

	exit     ast.Node // the first early end of the loop
	exitText string   // what a return gives, as text
	effect   ast.Node // the first accumulation into something outside the body
	sets     map[types.Object]string
	borrowed map[types.Object]bool // locals that refer to something outside the body
	collects []collected
}

type collected struct {
	at    ast.Node
	slice ast.Expr
}

// flaw is why the order can be seen, and where.
type flaw struct {
	at  ast.Node
	why string
}

func (l *linter) checkRange(loop *ast.RangeStmt, functions []ast.Node) {
	keyed, ok := l.rangesOverMap(loop)
	if !ok {
		return
	}
	m := &mapLoop{l: l, loop: loop, sets: map[types.Object]string{}, borrowed: map[types.Object]bool{}}
	if id, ok := loop.Key.(*ast.Ident); ok && keyed {
		m.key = l.objectOf(id)
	}
	f := m.judge(functions)
	if f == nil {
		return
	}
	l.report(loop, "the order of this map can be seen: line %d %s; range over slices.Sorted(maps.Keys(m)), "+
		"or keep an ordered structure", l.pass.Fset.Position(f.at.Pos()).Line, f.why)
}

// rangesOverMap tells whether a loop goes over a map, or an iterator of package maps, and
// whether its first variable is the map's key.
func (l *linter) rangesOverMap(loop *ast.RangeStmt) (keyed, ok bool) {
	if call, isCall := ast.Unparen(loop.X).(*ast.CallExpr); isCall {
		switch f := l.calledFunc(call); {
		case isPackageFunc(f, "maps", "Keys", "All"):
			return true, true
		case isPackageFunc(f, "maps", "Values"):
			return false, true
		}
	}
	return true, isMap(l.typeOf(loop.X))
}

func isMap(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		iface, _ := p.Constraint().Underlying().(*types.Interface)
		for e := range iface.EmbeddedTypes() {
			if u, ok := e.(*types.Union); ok && u.Len() > 0 {
				e = u.Term(0).Type()
			}
			if isMap(e) {
				return true
			}
		}
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// checkKeyIterator refuses maps.Keys, Values and All outside of what orders or ignores them.
func (l *linter) checkKeyIterator(call *ast.CallExpr, stack []ast.Node) {
	f := l.calledFunc(call)
	if !isPackageFunc(f, "maps", "Keys", "Values", "All") {
		return
	}
	switch parent := stack[len(stack)-1].(type) {
	case *ast.RangeStmt:
		return // judged as a loop
	case *ast.CallExpr:
		outer := l.calledFunc(parent)
		if isPackageFunc(outer, "slices", "Sorted", "SortedFunc", "SortedStableFunc") ||
			isPackageFunc(outer, "maps", "Collect", "Insert") {
			return
		}
	}
	l.report(call, "maps.%s gives the entries in an order that differs from run to run; "+
		"put it into slices.Sorted", f.Name())
}

func (m *mapLoop) judge(functions []ast.Node) *flaw {
	if f := m.block(m.loop.Body.List, 0); f != nil {
		return f
	}
	if m.exit != nil && m.effect != nil {
		return &flaw{m.exit, "ends the loop early, so what it did before depends on the order"}
	}
	for _, c := range m.collects {
		if !m.sortedLater(c.slice, functions) {
			return &flaw{c.at, "collects into a slice that this function does not sort afterwards"}
		}
	}
	return nil
}

// block judges statements; depth counts the loops and switches inside ours, whose break is
// their own affair.
func (m *mapLoop) block(list []ast.Stmt, depth int) *flaw {
	for _, s := range list {
		if f := m.stmt(s, depth); f != nil {
			return f
		}
	}
	return nil
}

func (m *mapLoop) stmt(s ast.Stmt, depth int) *flaw {
	switch s := s.(type) {
	case nil, *ast.EmptyStmt:
		return nil
	case *ast.BlockStmt:
		return m.block(s.List, depth)
	case *ast.LabeledStmt:
		return m.stmt(s.Stmt, depth)
	case *ast.DeclStmt:
		return m.pure(s)
	case *ast.AssignStmt:
		return m.assign(s)
	case *ast.IncDecStmt:
		return m.accumulate(s, s.X)
	case *ast.ExprStmt:
		return m.call(s)
	case *ast.IfStmt:
		return m.branch(s, depth)
	case *ast.SwitchStmt:
		return first(m.stmt(s.Init, depth), m.pure(s.Tag), m.block(s.Body.List, depth+1))
	case *ast.TypeSwitchStmt:
		return first(m.stmt(s.Init, depth), m.stmt(s.Assign, depth), m.block(s.Body.List, depth+1))
	case *ast.CaseClause:
		for _, e := range s.List {
			if f := m.pure(e); f != nil {
				return f
			}
		}
		return m.block(s.Body, depth)
	case *ast.ForStmt:
		return first(m.stmt(s.Init, depth), m.pure(s.Cond), m.stmt(s.Post, depth), m.block(s.Body.List, depth+1))
	case *ast.RangeStmt:
		return first(m.pure(s.X), m.block(s.Body.List, depth+1))
	case *ast.BranchStmt:
		return m.jump(s, depth)
	case *ast.ReturnStmt:
		return m.giveBack(s)
	}
	return &flaw{s, "does something whose order may be seen"}
}

func first(flaws ...*flaw) *flaw {
	for _, f := range flaws {
		if f != nil {
			return f
		}
	}
	return nil
}

// branch judges an if. "if a > x { x = a }" keeps a maximum, whatever the order.
func (m *mapLoop) branch(s *ast.IfStmt, depth int) *flaw {
	if f := first(m.stmt(s.Init, depth), m.pure(s.Cond)); f != nil {
		return f
	}
	if m.keepsExtreme(s) {
		m.effected(s)
		return nil
	}
	return first(m.stmt(s.Body, depth), m.stmt(s.Else, depth))
}

func (m *mapLoop) keepsExtreme(s *ast.IfStmt) bool {
	cond, ok := ast.Unparen(s.Cond).(*ast.BinaryExpr)
	if !ok || s.Else != nil || len(s.Body.List) != 1 {
		return false
	}
	switch cond.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
	default:
		return false
	}
	set, ok := s.Body.List[0].(*ast.AssignStmt)
	if !ok || set.Tok != token.ASSIGN || len(set.Lhs) != 1 {
		return false
	}
	to, from := types.ExprString(set.Lhs[0]), types.ExprString(set.Rhs[0])
	x, y := types.ExprString(cond.X), types.ExprString(cond.Y)
	return x == to && y == from || x == from && y == to
}

func (m *mapLoop) jump(s *ast.BranchStmt, depth int) *flaw {
	switch {
	case s.Tok == token.CONTINUE, s.Tok == token.FALLTHROUGH:
		return nil
	case s.Tok == token.BREAK && s.Label == nil && depth > 0:
		return nil
	case s.Tok == token.BREAK:
		m.exits(s)
		return nil
	}
	return &flaw{s, "jumps out"}
}

// giveBack judges a return: the loop may return only one thing, and one that is the same in
// every round.
func (m *mapLoop) giveBack(s *ast.ReturnStmt) *flaw {
	var parts []string
	for _, r := range s.Results {
		if f := m.pure(r); f != nil {
			return f
		}
		if m.variesByRound(r) {
			return &flaw{s, "returns what it met first"}
		}
		parts = append(parts, types.ExprString(r))
	}
	text := strings.Join(parts, ", ")
	if _, isReturn := m.exit.(*ast.ReturnStmt); isReturn && text != m.exitText {
		return &flaw{s, "returns one thing or another, whichever it meets first"}
	}
	m.exits(s)
	m.exitText = text
	return nil
}

func (m *mapLoop) exits(n ast.Node) {
	if _, isReturn := m.exit.(*ast.ReturnStmt); m.exit == nil || !isReturn {
		m.exit = n
	}
}

func (m *mapLoop) effected(n ast.Node) {
	if m.effect == nil {
		m.effect = n
	}
}

func (m *mapLoop) call(s *ast.ExprStmt) *flaw {
	call, ok := ast.Unparen(s.X).(*ast.CallExpr)
	if !ok {
		return &flaw{s, "does something whose order may be seen"}
	}
	if name := m.builtin(call); name == "delete" || name == "clear" {
		for _, arg := range call.Args {
			if f := m.pure(arg); f != nil {
				return f
			}
		}
		m.effected(s)
		return nil
	}
	return &flaw{s, fmt.Sprintf("calls %s, which may see the order", types.ExprString(call.Fun))}
}

func (m *mapLoop) assign(s *ast.AssignStmt) *flaw {
	switch s.Tok {
	case token.DEFINE:
		return m.assignParts(s)
	case token.ASSIGN:
		return m.assignParts(s)
	case token.ADD_ASSIGN, token.SUB_ASSIGN, token.MUL_ASSIGN,
		token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN:
		return first(m.pure(s.Rhs[0]), m.accumulate(s, s.Lhs[0]))
	}
	if m.isLocal(s.Lhs[0]) {
		return m.pure(s.Rhs[0])
	}
	return &flaw{s, fmt.Sprintf("changes %s step by step", types.ExprString(s.Lhs[0]))}
}

// accumulate judges x++, x += y and their like: the order is seen in floats and strings.
func (m *mapLoop) accumulate(s ast.Stmt, target ast.Expr) *flaw {
	if f := m.pure(target); f != nil {
		return f
	}
	if m.isLocal(target) {
		return nil
	}
	m.effected(s)
	b, ok := m.l.typeOf(target).Underlying().(*types.Basic)
	switch {
	case ok && b.Info()&types.IsInteger != 0:
		return nil
	case ok && b.Info()&(types.IsFloat|types.IsComplex) != 0:
		return &flaw{s, "sums floats, and the sum depends on the order"}
	}
	return &flaw{s, fmt.Sprintf("adds to %s in the order met", types.ExprString(target))}
}

func (m *mapLoop) assignParts(s *ast.AssignStmt) *flaw {
	for i, lhs := range s.Lhs {
		rhs := s.Rhs[0]
		if len(s.Rhs) == len(s.Lhs) {
			rhs = s.Rhs[i]
		}
		if f := m.assignOne(s, lhs, rhs); f != nil {
			return f
		}
	}
	return nil
}

func (m *mapLoop) assignOne(s *ast.AssignStmt, lhs, rhs ast.Expr) *flaw {
	if f := first(m.pure(lhs), m.pure(rhs)); f != nil {
		return f
	}
	if m.isLocal(lhs) {
		if id, ok := lhs.(*ast.Ident); ok && !m.ownsWhatItSees(rhs) {
			m.borrowed[m.l.objectOf(id)] = true
		}
		return nil
	}
	if call, ok := ast.Unparen(rhs).(*ast.CallExpr); ok && len(call.Args) > 0 {
		name, same := m.builtin(call), m.mentions(call.Args, lhs)
		switch {
		case (name == "max" || name == "min") && same:
			m.effected(s)
			return nil
		case name == "append" && types.ExprString(call.Args[0]) == types.ExprString(lhs) && !m.atOwnKey(lhs):
			m.effected(s)
			m.collects = append(m.collects, collected{at: s, slice: lhs})
			return nil
		}
	}
	if m.atOwnKey(lhs) {
		m.effected(s)
		return nil
	}
	if m.variesByRound(rhs) {
		return &flaw{s, fmt.Sprintf("leaves in %s what it met last", types.ExprString(lhs))}
	}
	return m.assignConstant(s, lhs, rhs)
}

// assignConstant accepts "found = true": the same value in every round, so long as no other
// line sets the same thing to something else.
func (m *mapLoop) assignConstant(s *ast.AssignStmt, lhs, rhs ast.Expr) *flaw {
	if _, isIndex := ast.Unparen(lhs).(*ast.IndexExpr); isIndex {
		m.effected(s)
	}
	obj := m.root(lhs)
	text := types.ExprString(lhs) + " = " + types.ExprString(rhs)
	if before, ok := m.sets[obj]; ok && before != text {
		return &flaw{s, fmt.Sprintf("sets %s to one thing or another", types.ExprString(lhs))}
	}
	m.sets[obj] = text
	return nil
}

// atOwnKey holds for x[k] where k is the loop's key: every round has an entry of its own.
func (m *mapLoop) atOwnKey(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.IndexExpr:
		if id, ok := ast.Unparen(e.Index).(*ast.Ident); ok && m.key != nil && m.l.objectOf(id) == m.key {
			return true
		}
		return m.atOwnKey(e.X)
	case *ast.SelectorExpr:
		return m.atOwnKey(e.X)
	}
	return false
}

func (m *mapLoop) mentions(list []ast.Expr, e ast.Expr) bool {
	return slices.ContainsFunc(list, func(x ast.Expr) bool { return types.ExprString(x) == types.ExprString(e) })
}

// isLocal holds for what lives inside the body: a blank, a variable declared there, a part of
// it, unless it is a part of something outside that the variable only refers to.
func (m *mapLoop) isLocal(e ast.Expr) bool {
	id, isIdent := ast.Unparen(e).(*ast.Ident)
	if isIdent && id.Name == "_" {
		return true
	}
	obj := m.root(e)
	inside := obj != nil && m.loop.Pos() <= obj.Pos() && obj.Pos() < m.loop.End()
	return inside && (isIdent || !m.borrowed[obj])
}

// ownsWhatItSees holds for values that refer to nothing, that were made in this round, or that
// belong to this round's entry of the map.
func (m *mapLoop) ownsWhatItSees(e ast.Expr) bool {
	if isPlain(m.l.typeOf(e), 0) {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit, *ast.BasicLit:
		return true
	case *ast.CallExpr:
		name := m.builtin(e)
		if name == "append" {
			return m.ownsWhatItSees(e.Args[0])
		}
		return name == "make" || name == "new"
	case *ast.UnaryExpr:
		if _, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
			return true
		}
		return m.ownsRoot(e.X)
	case *ast.Ident:
		return e.Name == "nil" || m.ownsRoot(e)
	}
	return m.ownsRoot(e)
}

func (m *mapLoop) ownsRoot(e ast.Expr) bool {
	obj := m.root(e)
	inside := obj != nil && m.loop.Pos() <= obj.Pos() && obj.Pos() < m.loop.End()
	return inside && !m.borrowed[obj] || m.atOwnKey(e)
}

// root is the variable at the left end of x.f[i].g.
func (m *mapLoop) root(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return m.l.objectOf(e)
	case *ast.SelectorExpr:
		return m.root(e.X)
	case *ast.IndexExpr:
		return m.root(e.X)
	case *ast.StarExpr:
		return m.root(e.X)
	}
	return nil
}

// variesByRound holds when an expression mentions something declared inside the loop.
func (m *mapLoop) variesByRound(e ast.Expr) bool {
	varies := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			obj := m.l.objectOf(id)
			_, isVar := obj.(*types.Var)
			varies = varies || isVar && m.loop.Pos() <= obj.Pos() && obj.Pos() < m.loop.End()
		}
		return !varies
	})
	return varies
}

// sortedLater looks for a call after the loop, in the function around it, that sorts e.
func (m *mapLoop) sortedLater(e ast.Expr, functions []ast.Node) bool {
	if len(functions) == 0 {
		return false
	}
	text, found := types.ExprString(e), false
	ast.Inspect(functions[len(functions)-1], func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < m.loop.End() || found {
			return !found
		}
		f := m.l.calledFunc(call)
		if f == nil || !strings.HasPrefix(strings.ToLower(f.Name()), "sort") &&
			!(f.Pkg() != nil && f.Pkg().Path() == "sort") {
			return true
		}
		for _, arg := range call.Args {
			if inner, ok := arg.(*ast.CallExpr); ok && len(inner.Args) == 1 { // sort.Sort(byName(s))
				arg = inner.Args[0]
			}
			found = found || types.ExprString(arg) == text
		}
		return !found
	})
	return found
}

func (l *linter) objectOf(id *ast.Ident) types.Object { return l.pass.TypesInfo.ObjectOf(id) }
