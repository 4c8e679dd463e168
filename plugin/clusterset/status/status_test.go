package status

import (
	"testing"
	"time"
)

// TestHash: equal documents have equal hashes, and no others have.
func TestHash(t *testing.T) {
	seen := make(map[string]int)
	for i, documents := range []map[string]string{
		nil, {"a.yaml": ""}, {"a.yaml": "x"}, {"a.yamlx": ""}, {"b.yaml": "x"}, {"a.yaml": "x", "b.yaml": "y"}, {"a.yaml": "y", "b.yaml": "x"},
	} {
		hash := Hash(documents)
		if before, is := seen[hash]; is || len(hash) != 16 || hash != Hash(documents) {
			t.Errorf("%d: %q, as %d", i, hash, before)
		}
		seen[hash] = i
	}
}

// TestDocumentString: a document's state is a line.
func TestDocumentString(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	for want, d := range map[string]Document{
		"file x: not read yet": {},
		"file x: read":         {Read: true},
		"file x: 2 members, in force since 2026-11-27T09:00:00Z":                                   {Read: true, Members: 2, InForceSince: at},
		"file x: 2 members, in force since 2026-11-27T09:00:00Z; since 2026-11-27T09:00:00Z: gone": {Members: 2, InForceSince: at, Error: "gone", ErrorSince: at},
	} {
		if d.Source = "file x"; d.String() != want {
			t.Errorf("%q, want %q", d.String(), want)
		}
	}
}
