package controlplane

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	dir := t.TempDir()
	o, err := parseOptions([]string{"--dir", dir, "--fast-services", "c1", "c2.eu", "c3=10.1.0.0/19,fd00::/112"})
	if err != nil {
		t.Fatal(err)
	}
	want := []spec{
		{"c1", "10.101.0.0/16"},
		{"c2.eu", "10.102.0.0/16"},
		{"c3", "10.1.0.0/19,fd00::/112"},
	}
	if len(o.clusters) != len(want) {
		t.Fatalf("%d clusters, want %d", len(o.clusters), len(want))
	}
	for i := range want {
		if o.clusters[i] != want[i] {
			t.Errorf("cluster %d: %v, want %v", i, o.clusters[i], want[i])
		}
	}
	if !o.fastServices || o.dir != dir {
		t.Errorf("fastServices %v, dir %q; want true, %q", o.fastServices, o.dir, dir)
	}
	if o, _ := parseOptions([]string{"--dir", "x", "c1"}); !filepath.IsAbs(o.dir) {
		t.Errorf("dir %q is not absolute", o.dir)
	}
}

func TestParseOptionsErrors(t *testing.T) {
	for args, want := range map[string]string{
		"c1":                       "usage:",
		"--dir d":                  "usage:",
		"--dir d --slow c1":        "not defined: -slow",
		"--dir d c1 c1":            `"c1" is given twice`,
		"--dir d C1":               `"C1": a cluster's name`,
		"--dir d ../c1":            `"../c1": a cluster's name`,
		"--dir d a.b.c":            `"a.b.c": a cluster's name`,
		"--dir d c1=":              `cluster "c1"`,
		"--dir d c1=10.0.0.0/33":   `10.0.0.0/33`,
		"--dir d c1=10.1.0.0/16,x": `cluster "c1"`,
	} {
		_, err := parseOptions(strings.Fields(args))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", args, err, want)
		}
	}
}
