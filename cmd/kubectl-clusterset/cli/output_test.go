package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"sigs.k8s.io/yaml"
)

// TestPrintControls: text from outside comes back as it was, and nothing of it is obeyed by a
// terminal, or is no YAML.
func TestPrintControls(t *testing.T) {
	evil := "\x1b[31m\x00\a\x7f\u009b2J\u202e\u2028\ufeff <ünicode> \"\\u0041\" 漢字 🙂\t\r\nend"
	for _, form := range []Format{JSON, YAML} {
		var b bytes.Buffer
		if err := NewOutput(form).Print(&b, map[string]any{"a": evil, evil: []string{evil}}); err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Errorf("%s: %q", form, b.String())
		}
		var back struct{ A string }
		if err := yaml.Unmarshal(b.Bytes(), &back); err != nil || back.A != evil {
			t.Errorf("%s: %q, %v", form, back.A, err)
		}
	}
}
