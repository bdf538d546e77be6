package api

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

//go:generate go test -run TestProtocolDocumentFollowsTheHeaders -update

var update = flag.Bool("update", false, "write docs/protocol.md anew")

const protocolDoc = "../../docs/protocol.md"

// TestProtocolDocumentFollowsTheHeaders makes docs/protocol.md of the comments above the
// handlers, and holds those to the table: key, versions and file name.
func TestProtocolDocumentFollowsTheHeaders(t *testing.T) {
	var s strings.Builder
	s.WriteString(protocolIntro)
	headers := handlerHeaders(t)
	for _, a := range Table() {
		flexible := strconv.Itoa(int(a.Flexible))
		if a.Flexible > a.Max {
			flexible = "–"
		}
		fmt.Fprintf(&s, "| %d | [%s](#%s) | %d–%d | %s |\n",
			a.Key, a.Name, strings.ToLower(a.Name), a.Min, a.Max, flexible)
	}
	for _, a := range Table() {
		h, ok := headers[a.Key]
		if !ok {
			t.Fatalf("no file %02d_….go has a handler with a header for %s", a.Key, a.Name)
		}
		checkHeader(t, a, h)
		fmt.Fprintf(&s, "\n## %s\n\n%s", a.Name, asMarkdown(h))
	}
	if *update {
		if err := os.WriteFile(protocolDoc, []byte(s.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(protocolDoc)
	if err != nil || string(have) != s.String() {
		t.Errorf("docs/protocol.md is not what the headers say (%v): go generate ./core/api", err)
	}
}

const protocolIntro = `<!-- Generated from the headers of core/api by its tests; do not edit. -->

# The Kafka protocol as Tidemark speaks it

Ranges are those of Apache Kafka 4.3. An API that is not listed here closes the connection, as
does a version outside its range; ApiVersions alone answers for versions to come. Replies leave
in the order of the requests on a connection, whatever order they are ready in.

| key | API | versions | flexible from |
|---|---|---|---|
`

// handlerHeaders reads the comments above the handlers, by key.
func handlerHeaders(t *testing.T) map[int16]string {
	files, err := filepath.Glob("[0-9][0-9]_*.go")
	if err != nil {
		t.Fatal(err)
	}
	headers := map[int16]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := strconv.Atoi(name[:2])
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Doc != nil && strings.Contains(fn.Doc.Text(), fmt.Sprintf("(key %d)", key)) {
				headers[int16(key)] = fn.Doc.Text()
			}
		}
	}
	return headers
}

func checkHeader(t *testing.T, a API, header string) {
	for _, want := range []string{
		fmt.Sprintf("%s (key %d) ", a.Name, a.Key),
		fmt.Sprintf("Versions %d–%d, flexible from %d.", a.Min, a.Max, a.Flexible),
		"Behaviour:\n",
		"Added by version: ",
	} {
		if !strings.Contains(header, want) {
			t.Errorf("the header of %s does not say %q", a.Name, want)
		}
	}
}

var listItem = regexp.MustCompile(`(?m)^  - `)

// asMarkdown needs little: gofmt already keeps lists as lists.
func asMarkdown(header string) string {
	header = listItem.ReplaceAllString(header, "- ")
	header = strings.ReplaceAll(header, "\n    ", "\n  ")
	header = strings.ReplaceAll(header, "Behaviour:\n-", "Behaviour:\n\n-")
	return header
}
