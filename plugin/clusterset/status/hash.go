package status

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// Hash returns that of documents, by their keys: 16 hexadecimal digits, by which a
// ConfigMap's data can be compared with what a server has in force.
func Hash(documents map[string]string) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(documents)) {
		for _, text := range []string{key, documents[key]} {
			_ = binary.Write(h, binary.BigEndian, uint64(len(text))) // a hash never fails
			_, _ = h.Write([]byte(text))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
