package member

import (
	"strconv"
	"strings"
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// texts shares what many objects have alike: lists of ports, most of which are
// like those of a hundred other Services, with the strings in them.
type texts struct {
	// podNames has endpoints without a hostname named by their pods.
	podNames bool

	mu    sync.Mutex
	known map[string][]model.Port
}

// maxTexts bounds what is remembered. Beyond it the memory begins anew: what is
// in use stays, and is just not shared with what comes.
const maxTexts = 4096

// maxShared bounds a list of ports that is remembered, as text: no two Services
// have the same longer ones but for those of one that was split.
const maxShared = 512

// noPorts is what a Service or a slice without ports has: its name exists.
var noPorts = []model.Port{{Number: model.NoPort}}

// ports gives a list like those that came before, where there was one.
func (t *texts) ports(ports []model.Port) []model.Port {
	if len(ports) == 0 {
		return noPorts
	}
	var b strings.Builder
	for i := range ports {
		p := &ports[i]
		b.WriteString(p.Name)
		b.WriteByte('/')
		b.WriteString(p.Protocol)
		b.WriteByte('/')
		b.WriteString(strconv.Itoa(int(p.Number)))
		b.WriteByte(' ')
	}
	for i := range ports {
		ports[i].Protocol = protocol(ports[i].Protocol)
	}
	if b.Len() > maxShared {
		return ports
	}
	return t.shared(b.String(), ports)
}

func (t *texts) shared(key string, ports []model.Port) []model.Port {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.known[key]; ok {
		return known
	}
	if t.known == nil || len(t.known) >= maxTexts {
		t.known = make(map[string][]model.Port)
	}
	t.known[key] = ports
	return ports
}

// protocol gives the one string for the names that nearly all ports have.
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
