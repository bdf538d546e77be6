package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

const seeded = "random choices come from env.Rand, so that a seed decides them"

// doors are the packages through which the outside world comes in; a path stands for the
// packages beneath it too.
var doors = map[string]string{
	"sync":         "there is one goroutine; nothing needs guarding",
	"os":           "files are reached through env.Disk, configuration through Config",
	"net":          "the network is reached through env.Net",
	"syscall":      "the system is reached through core/env",
	"io/ioutil":    "files are reached through env.Disk",
	"plugin":       "nothing is loaded at run time",
	"crypto/rand":  seeded,
	"hash/maphash": "its seed differs from run to run; use hash/fnv or a keyed hash of your own",
	"runtime":      "what the scheduler or the collector does differs from run to run",
	"testing":      "test code belongs into _test.go files",
}

// doorExcept are packages beneath a door that touch nothing.
var doorExcept = map[string]bool{"net/netip": true}

// outsideCalls are functions of packages that are otherwise welcome.
var outsideCalls = map[string]struct {
	names  string // space-separated; "*" is every package-level function but those in except
	except string
	why    string
}{
	"time": {
		names: "Now Since Until After Tick NewTimer NewTicker AfterFunc Sleep Local LoadLocation",
		why:   "time is an argument (env.Instant) or comes from env.Clock",
	},
	"math/rand":    {names: "*", except: "New NewSource NewZipf", why: seeded},
	"math/rand/v2": {names: "*", except: "New NewPCG NewChaCha8 NewZipf", why: seeded},
}

func (l *linter) checkImports(file *ast.File) {
	testingIsOurs := strings.HasSuffix(l.pass.Pkg.Path(), "test") // envtest, simtest: made for tests
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || doorExcept[path] {
			continue
		}
		for door := path; door != ""; door = parent(door) {
			if why := doors[door]; why != "" && !(door == "testing" && testingIsOurs) {
				l.report(spec, "import %q: %s", path, why)
				break
			}
		}
	}
}

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return ""
	}
	return path[:i]
}

func (l *linter) checkSelector(sel *ast.SelectorExpr) {
	obj := l.pass.TypesInfo.Uses[sel.Sel]
	if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
		return // not a package-level name of another package
	}
	if _, isType := obj.(*types.TypeName); isType {
		return
	}
	rule, ok := outsideCalls[obj.Pkg().Path()]
	if !ok || rule.names == "*" && !isFunc(obj) {
		return
	}
	if rule.names == "*" && !named(rule.except, obj.Name()) || named(rule.names, obj.Name()) {
		l.report(sel, "%s.%s: %s", obj.Pkg().Name(), obj.Name(), rule.why)
	}
}

func isFunc(obj types.Object) bool { _, ok := obj.(*types.Func); return ok }

func named(list, name string) bool {
	for n := range strings.FieldsSeq(list) {
		if n == name {
			return true
		}
	}
	return false
}

const oneGoroutine = "a machine is called by one caller at a time and returns effects as data"

func (l *linter) checkConcurrency(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		l.report(n, "go statement: %s", oneGoroutine)
	case *ast.SelectStmt:
		l.report(n, "select: its choice differs from run to run; %s", oneGoroutine)
	case *ast.ChanType:
		l.report(n, "channel type: %s", oneGoroutine)
	case *ast.SendStmt:
		l.report(n, "channel send: %s", oneGoroutine)
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			l.report(n, "channel receive: %s", oneGoroutine)
		}
	case *ast.RangeStmt:
		if _, ok := l.typeOf(n.X).Underlying().(*types.Chan); ok {
			l.report(n, "range over a channel: %s", oneGoroutine)
		}
	}
}
