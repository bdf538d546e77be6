package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
)

// purePackages are packages whose functions change nothing that the caller can see, given
// that they are handed values.
var purePackages = map[string]bool{
	"strings": true, "bytes": true, "strconv": true, "math": true, "math/bits": true, "cmp": true,
	"unicode": true, "unicode/utf8": true, "path": true, "errors": true, "time": true, "hash/crc32": true,
}

// pureFunctions are single functions of packages that are not pure as a whole.
var pureFunctions = map[string]string{
	"fmt":    "Sprintf Sprint Sprintln Errorf",
	"slices": "Contains ContainsFunc Index IndexFunc Equal Clone Max Min Compare BinarySearch Concat Sorted",
	"maps":   "Clone Equal Keys Values",
}

// pure finds the first thing in n that might do more than compute a value, or nil.
func (m *mapLoop) pure(n ast.Node) *flaw {
	if n == nil || isNilExpr(n) {
		return nil
	}
	var found *flaw
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			found = &flaw{n, "makes a function that may see the order when it runs"}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				found = &flaw{n, "receives from a channel"}
			}
		case *ast.CallExpr:
			if !m.pureCall(n) {
				found = &flaw{n, fmt.Sprintf("calls %s, which may see the order", types.ExprString(n.Fun))}
			}
		}
		return found == nil
	})
	return found
}

func isNilExpr(n ast.Node) bool { e, ok := n.(ast.Expr); return ok && e == nil }

func (m *mapLoop) pureCall(call *ast.CallExpr) bool {
	if tv, ok := m.l.pass.TypesInfo.Types[call.Fun]; ok && tv.IsType() {
		return true // a conversion
	}
	switch m.builtin(call) {
	case "len", "cap", "min", "max", "append", "make", "new", "real", "imag", "complex":
		return true
	}
	f := m.l.calledFunc(call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	if recv := f.Signature().Recv(); recv != nil {
		return isPlain(recv.Type(), 0)
	}
	return purePackages[f.Pkg().Path()] || named(pureFunctions[f.Pkg().Path()], f.Name())
}

func (m *mapLoop) builtin(call *ast.CallExpr) string {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return ""
	}
	if _, ok := m.l.objectOf(id).(*types.Builtin); !ok {
		return ""
	}
	return id.Name
}

// isPlain holds for types whose value methods cannot reach anything shared: numbers, strings
// and structs and arrays of them.
func isPlain(t types.Type, depth int) bool {
	const deepest = 16
	if depth > deepest {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UnsafePointer
	case *types.Array:
		return isPlain(u.Elem(), depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if !isPlain(f.Type(), depth+1) {
				return false
			}
		}
		return true
	}
	return false
}
