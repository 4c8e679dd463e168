package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// writeData makes the member's zone, the ClusterSets, and dnsperf's questions for
// each suffix.
func writeData(dir string, names int) error {
	zone := new(strings.Builder)
	zone.WriteString("$ORIGIN cluster.local.\n@ 60 IN SOA ns.dns hostmaster 1 7200 1800 86400 5\n")
	for i := range names {
		fmt.Fprintf(zone, "%s.svc 60 IN A 10.101.%d.%d\n", service(i), i/250%250, i%250+1)
	}
	if err := write(dir, "cluster.local.zone", zone.String()); err != nil {
		return err
	}
	if err := write(dir, "forward.yaml", clusterSet); err != nil {
		return err
	}
	if err := write(dir, "tail.yaml", clusterSetWithTail); err != nil {
		return err
	}
	if err := write(dir, "data.yaml", clusterSetWithData); err != nil {
		return err
	}
	for _, suffix := range []string{memberDomain, "svc.c1.lan", "c1.lan", setSuffix} {
		for file, names := range map[string]int{".questions": names, ".some": min(names, oversetNames)} {
			questions := new(strings.Builder)
			for i := range names {
				fmt.Fprintf(questions, "%s.%s A\n", service(i), suffix)
			}
			if err := write(dir, suffix+file, questions.String()); err != nil {
				return err
			}
		}
	}
	return writeSets(dir)
}

func service(i int) string { return fmt.Sprintf("service-%d.default", i) }

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
}
