package decode

import (
	"strconv"
	"strings"
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// portInterner shares equal lists of ports, with the strings in them: most are those of a
// hundred other Services.
type portInterner struct {
	mu    sync.Mutex
	known map[string][]model.Port
}

// maxInterned bounds what is remembered. Past it the interner starts anew: values in use
// stay, and just aren't shared with those to come.
const maxInterned = 4096

// maxInternedKey bounds a list of ports that is remembered, as text: longer ones are
// shared by no two Services.
const maxInternedKey = 512

// noPorts stands for no ports: the name exists.
var noPorts = []model.Port{{Number: model.NoPort}}

// portList returns a list equal to ports, the one of before where there was one.
func (in *portInterner) portList(ports []model.Port) []model.Port {
	if len(ports) == 0 {
		return noPorts
	}
	var b strings.Builder
	for i := range ports {
		p := &ports[i]
		p.Protocol = protocol(p.Protocol)
		b.WriteString(p.Name)
		b.WriteByte('/')
		b.WriteString(p.Protocol)
		b.WriteByte('/')
		b.WriteString(strconv.Itoa(int(p.Number)))
		b.WriteByte(' ')
	}
	if b.Len() > maxInternedKey {
		return ports
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if known, ok := in.known[b.String()]; ok {
		return known
	}
	if in.known == nil || len(in.known) >= maxInterned {
		in.known = make(map[string][]model.Port)
	}
	in.known[b.String()] = ports
	return ports
}

// protocol returns one string for each of the usual names.
func protocol(name string) string {
	switch name {
	case "TCP":
		return "TCP"
	case "UDP":
		return "UDP"
	case "SCTP":
		return "SCTP"
	}
	return name
}
