package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestReadJSONPage: a list is whole, or it is none; what is in it has bounds.
func TestReadJSONPage(t *testing.T) {
	var imports []string
	for n := range 100 {
		imports = append(imports, apitest.Import(fmt.Sprint(n), fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", 37*n))))
	}
	read := func(content, kind string) (names []string, p Page, err error) {
		p, err = ReadJSONPage(strings.NewReader(content), kind, func(message []byte) error {
			o, err := new(Decoder).ServiceImport(message)
			if err == nil {
				names = append(names, o.GetObjectMeta().GetName())
			}
			return err
		})
		return names, p, err
	}
	const kind = "ServiceImportList"
	whole := apitest.ImportList(imports...)
	names, p, err := read(whole, kind)
	if err != nil || len(names) != 100 || names[99] != "99" || p != (Page{Version: "1"}) {
		t.Errorf("%v %v %v", names, p, err)
	}
	for n := 0; n < 3000; n += 7 {
		if _, _, err := read(whole[:n], kind); err == nil {
			t.Fatalf("no error for %d bytes", n)
		}
	}
	large, blanks := strings.Repeat("x", maxObject), strings.Repeat(" ", maxObject)
	for name, tc := range map[string]struct {
		content string
		want    error
	}{
		"keys in another order": {`{"metadata":{"resourceVersion":"7","continue":"c"},"kind":"ServiceImportList","items":[]}`, nil},
		"no items":              {`{"kind":"ServiceImportList","items":null}`, nil},
		"a kept object":         {apitest.ImportList(apitest.Import("a", `{"x":"`+large[1000:]+`"}`)), nil},
		"cut in an item":        {whole[:5000], io.ErrUnexpectedEOF},
		"another kind":          {`{"kind":"ServiceExportList","items":[]}`, ErrNotAPI},
		"a list":                {`[]`, ErrNotAPI},
		"items that are none":   {`{"kind":"ServiceImportList","items":{}}`, ErrNotAPI},
		"a large object":        {apitest.ImportList(apitest.Import("a", `{"x":"`+large+`"}`)), ErrTooLarge},
		"two large objects":     {apitest.ImportList(apitest.Import("a", `{}`), apitest.Import("a", `{"x":"`+large+`"}`)), ErrTooLarge},
		"a large token":         {`{"metadata":{"continue":"` + large + `"}}`, ErrTooLarge},
		"a large member":        {`{"x":"` + large + `"}`, ErrTooLarge},
		"a large key":           {`{"` + large + `":1}`, ErrTooLarge},
		"blanks":                {`{` + blanks + `}`, ErrTooLarge},
		"blanks after an item":  {`{"items":[{}` + blanks[:1<<20] + `]}`, ErrTooLarge},
		"blanks before an item": {`{"items":[` + blanks + `]}`, ErrTooLarge},
	} {
		if _, _, err := read(tc.content, kind); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	endless := io.MultiReader(strings.NewReader(`{"items":[`), &repeated{text: []byte(`{"x":"` + large[:1<<16] + `"},`)})
	if _, err := ReadJSONPage(endless, kind, func([]byte) error { return nil }); !errors.Is(err, ErrTooLarge) {
		t.Errorf("an endless list: %v", err)
	}
}

// repeated is a text without end.
type repeated struct {
	text []byte
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = r.text[r.at%len(r.text)]
		r.at++
	}
	return len(p), nil
}

// TestJSONEvents: an event is whole, or it is none, and has a bound.
func TestJSONEvents(t *testing.T) {
	two := apitest.ImportEvent("ADDED", apitest.Import("a", "{}")) + apitest.ImportEvent("DELETED", apitest.Import("b", "{}"))
	e := NewJSONEvents(strings.NewReader(two))
	for _, want := range []string{"ADDED", "DELETED"} {
		event, object, err := e.Next()
		if kind, _ := JSONKind(object); err != nil || event != want || kind != "ServiceImport" {
			t.Errorf("%s %s %v, want %s", event, object, err, want)
		}
	}
	if _, _, err := e.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if _, _, err := NewJSONEvents(strings.NewReader(two[:50])).Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut event: %v", err)
	}
	for _, text := range []string{"{\"type\":\"" + strings.Repeat("x", 2*maxObject), " "} {
		if _, _, err := NewJSONEvents(&repeated{text: []byte(text)}).Next(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%q without end: %v", text[:1], err)
		}
	}
}

// FuzzJSON reads what an API may send: it ends, and allocates no more than its bounds.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(apitest.ImportList(apitest.Import("a", `{"type":"Headless","ips":["10.0.0.1",1],"ports":[{"port":-1},{}]}`))))
	f.Fuzz(func(_ *testing.T, content []byte) {
		take := func(message []byte) error {
			_, err := new(Decoder).ServiceImport(message)
			return err
		}
		_, _ = ReadJSONPage(bytes.NewReader(content), "ServiceImportList", take)
		_ = take(content)
		_, _, _ = NewJSONEvents(bytes.NewReader(content)).Next()
		_, _ = JSONKind(content)
	})
}
