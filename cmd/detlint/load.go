package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
)

// The packages to judge are parsed and type-checked from source; what they import comes from
// the export data in the build cache, so a warm run costs about a second. Written here on the
// standard library, because the drivers of x/tools bring modules along that nothing else needs.

// verdict is the outcome for a set of packages.
type verdict struct {
	findings []string
	exempt   []exemption
}

// listed is what `go list -json` says about a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Export     string
	DepOnly    bool
	ImportMap  map[string]string
	Error      *struct{ Err string }
}

// check runs the analyzer over the packages that the patterns name, seen from dir.
func check(dir string, patterns []string) (*verdict, error) {
	packages, err := list(dir, patterns)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var targets []listed
	for _, p := range packages {
		if p.Error != nil {
			return nil, fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly && len(p.GoFiles) > 0 {
			targets = append(targets, p)
		}
	}
	verdicts := make([]*verdict, len(targets))
	errs := make([]error, len(targets))
	var work sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, p := range targets {
		work.Go(func() {
			slots <- struct{}{}
			verdicts[i], errs[i] = checkPackage(dir, p, exports)
			<-slots
		})
	}
	work.Wait()
	all := &verdict{}
	for _, v := range verdicts {
		if v != nil {
			all.findings = append(all.findings, v.findings...)
			all.exempt = append(all.exempt, v.exempt...)
		}
	}
	slices.Sort(all.findings)
	return all, errors.Join(errs...)
}

func list(dir string, patterns []string) ([]listed, error) {
	args := []string{"list", "-e", "-export", "-deps",
		"-json=ImportPath,Dir,GoFiles,Export,DepOnly,ImportMap,Error", "--"}
	cmd := exec.Command("go", append(args, patterns...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// checkPackage type-checks one package and runs the analyzer on it.
func checkPackage(dir string, p listed, exports map[string]string) (*verdict, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		name = filepath.Join(p.Dir, name)
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	open := func(path string) (io.ReadCloser, error) {
		if mapped, ok := p.ImportMap[path]; ok {
			path = mapped
		}
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data for %s: does it build?", path)
		}
		return os.Open(exports[path])
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	info := &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Uses:       map[*ast.Ident]types.Object{},
		Defs:       map[*ast.Ident]types.Object{},
		Implicits:  map[ast.Node]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Instances:  map[*ast.Ident]types.Instance{},
		Scopes:     map[ast.Node]*types.Scope{},
	}
	pkg, err := conf.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
	}
	v := &verdict{}
	pass := &analysis.Pass{
		Analyzer: analyzer, Fset: fset, Files: files, Pkg: pkg, TypesInfo: info, ReadFile: os.ReadFile,
		Report: func(d analysis.Diagnostic) {
			v.findings = append(v.findings, relative(dir, fset.Position(d.Pos))+": "+d.Message)
		},
	}
	exempt, err := run(pass)
	if err != nil {
		return nil, err
	}
	v.exempt, _ = exempt.([]exemption)
	return v, nil
}

func relative(dir string, pos token.Position) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return pos.String()
	}
	if name, err := filepath.Rel(abs, pos.Filename); err == nil {
		pos.Filename = filepath.ToSlash(name)
	}
	return pos.String()
}
