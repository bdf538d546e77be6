package main

import (
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
)

var pointerVerb = regexp.MustCompile(`%[-+# 0]*[0-9.*]*(\[[0-9]+\])?p`)

// checkPrinting refuses addresses in text: %p, and pointers, functions and channels handed to
// a formatting call that would print them as addresses.
func (l *linter) checkPrinting(call *ast.CallExpr) {
	sig, ok := l.typeOf(call.Fun).Underlying().(*types.Signature)
	if !ok || !sig.Variadic() || !isAnySlice(sig.Params().At(sig.Params().Len()-1).Type()) {
		return
	}
	fixed := sig.Params().Len() - 1
	for i, arg := range call.Args {
		if i < fixed {
			if v := l.pass.TypesInfo.Types[arg].Value; v != nil && v.Kind() == constant.String &&
				pointerVerb.MatchString(constant.StringVal(v)) {
				l.report(arg, "%%p prints an address, which differs from run to run; print an id")
			}
			continue
		}
		if !call.Ellipsis.IsValid() && printsAddress(l.typeOf(arg)) {
			l.report(arg, "%s is printed as an address, which differs from run to run; print an id",
				types.TypeString(l.typeOf(arg), types.RelativeTo(l.pass.Pkg)))
		}
	}
}

func isAnySlice(t types.Type) bool {
	s, ok := t.(*types.Slice)
	if !ok {
		return false
	}
	i, ok := s.Elem().Underlying().(*types.Interface)
	return ok && i.Empty()
}

// printsAddress holds for types that package fmt shows as a number: a pointer to a struct is
// followed at the top level, one to anything else is not. Methods that render the value win.
func printsAddress(t types.Type) bool {
	for _, name := range []string{"String", "Error", "Format", "GoString"} {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name); obj != nil {
			if _, isMethod := obj.(*types.Func); isMethod {
				return false
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Signature, *types.Chan:
		return true
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Pointer:
		switch u.Elem().Underlying().(type) {
		case *types.Struct, *types.Array, *types.Slice, *types.Map:
			return false
		}
		return true
	}
	return false
}

func (l *linter) checkMapKey(m *ast.MapType) {
	if what := addressIn(l.typeOf(m.Key), 0); what != "" {
		l.report(m.Key, "%s as a map key: its hash is an address; key by an id", what)
	}
}

// addressIn says which part of a key type is an address, or "".
func addressIn(t types.Type, depth int) string {
	const deepest = 16
	if depth > deepest {
		return ""
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return "a pointer"
	case *types.Chan:
		return "a channel"
	case *types.Basic:
		if u.Kind() == types.UnsafePointer {
			return "a pointer"
		}
	case *types.Array:
		return addressIn(u.Elem(), depth+1)
	case *types.Struct:
		for f := range u.Fields() {
			if what := addressIn(f.Type(), depth+1); what != "" {
				return what + " (field " + f.Name() + ")"
			}
		}
	}
	return ""
}
