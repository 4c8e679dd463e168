//go:build e2e

package walk

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// Where the recorder is added.
const (
	recorderPath = "github.com/coredns-clusterset/clusterset/plugin/clusterset/walkrecorder"
	recorderFile = "walkrecorder/recorder.go"
)

//go:embed testdata/recorder.go
var recorderSource []byte

// buildCoreDNS builds a CoreDNS whose plugin records its calls, and returns its
// path.
func buildCoreDNS(t *testing.T) string {
	t.Helper()
	dir, source := t.TempDir(), filepath.Join(harness.Root(), "plugin", "clusterset")
	replace, err := instrumentAll(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	recorder := filepath.Join(dir, "recorder.go")
	if err := os.WriteFile(recorder, recorderSource, 0o600); err != nil {
		t.Fatal(err)
	}
	replace[filepath.Join(source, recorderFile)] = recorder
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, filepath.Join(dir, "overlay.json"), string(overlay))
	binary := filepath.Join(dir, "coredns")
	command := exec.Command("go", "build", "-trimpath", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./cmd/coredns")
	command.Dir, command.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0") // as make builds it
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// instrumentAll writes the source files, instrumented, to dir, and returns their
// new paths by the old ones.
func instrumentAll(source, dir string) (replace map[string]string, err error) {
	replace = make(map[string]string)
	return replace, filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "clustertest" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		text, err = instrument(file, text)
		if err != nil {
			return err
		}
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		return os.WriteFile(replace[path], text, 0o600)
	})
}

// instrument returns the file's text, with a call of the recorder at the beginning
// of each function that has a name and a body. ServeDNS records its return, too.
func instrument(file string, text []byte) ([]byte, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	written := 0
	insert := func(at token.Pos, code string) {
		offset := set.File(at).Offset(at)
		out.Write(text[written:offset])
		out.WriteString(code)
		written = offset
	}
	insert(parsed.Name.End(), fmt.Sprintf("; import walkrecorder %q", recorderPath))
	functions := 0
	for _, declaration := range parsed.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		functions++
		arguments := fmt.Sprintf("(%q, %q);", functionName(parsed.Name.Name, f), filepath.ToSlash(file))
		code := "walkrecorder.Enter" + arguments
		if f.Name.Name == serveDNS {
			code += "defer walkrecorder.Leave" + arguments
		}
		insert(f.Body.Lbrace+1, code)
	}
	if functions == 0 {
		return text, nil // an import that isn't used is an error
	}
	out.Write(text[written:])
	return out.Bytes(), nil
}

// functionName is as in Go's own traces: "query.Parse", "exchange.(*Client).Ask".
func functionName(pkg string, f *ast.FuncDecl) string {
	if f.Recv == nil {
		return pkg + "." + f.Name.Name
	}
	return pkg + "." + typeName(f.Recv.List[0].Type) + "." + f.Name.Name
}

// typeName is a receiver's type, without type parameters.
func typeName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return "(*" + typeName(e.X) + ")"
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", expr)
}

func TestInstrument(t *testing.T) {
	const before = "// Package a is one.\npackage a // so\n\nfunc f()\n\nfunc g() int { return 1 }\n\n" +
		"func (s *set[T]) add(T) {\n\tf()\n}\n\nfunc (a) ServeDNS() {}\n"
	const after = "// Package a is one.\npackage a; import walkrecorder \"" + recorderPath + "\" // so\n\nfunc f()\n\n" +
		"func g() int {walkrecorder.Enter(\"a.g\", \"b/c.go\"); return 1 }\n\n" +
		"func (s *set[T]) add(T) {walkrecorder.Enter(\"a.(*set).add\", \"b/c.go\");\n\tf()\n}\n\n" +
		"func (a) ServeDNS() {walkrecorder.Enter(\"a.a.ServeDNS\", \"b/c.go\");defer walkrecorder.Leave(\"a.a.ServeDNS\", \"b/c.go\");}\n"
	got, err := instrument("b/c.go", []byte(before))
	if err != nil || string(got) != after {
		t.Errorf("error %v, text:\n%s", err, got)
	}
	const without = "package a\n\nvar b int\n"
	if got, err := instrument("b.go", []byte(without)); err != nil || string(got) != without {
		t.Errorf("a file without functions: error %v, text:\n%s", err, got)
	}
}
