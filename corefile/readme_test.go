package corefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

const readme = "../plugin/clusterset/README.md"

var (
	fence = regexp.MustCompile("(?ms)^(?:~~~|```)[ \t]*corefile[ \t]*\n(.*?)^(?:~~~|```)[ \t]*$")
	// anyFence finds what fence may have missed.
	anyFence = regexp.MustCompile("(?mi)^[ \t]*(?:~~~|```).*corefile")
)

// Every Corefile in the plugin's README starts.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(readme)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(readme + " isn't written yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	fences := fence.FindAllSubmatchIndex(text, -1)
	if all := anyFence.FindAll(text, -1); len(fences) == 0 || len(fences) != len(all) {
		t.Fatalf("%d corefile fences, of which %d are understood", len(all), len(fences))
	}
	for _, at := range fences {
		corefile := string(text[at[2]:at[3]])
		line := 1 + strings.Count(string(text[:at[0]]), "\n")
		t.Run(fmt.Sprint("line ", line), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.certificates = newCertificates(t, memberName)
			p.document = document(t, path(t, "laptop", "clusterset.yaml"), serve(t, service), certificates{})
			start(t, p, corefile)
		})
	}
}
